// Machines by name or from a file: any levels of storage, and which loops they may run.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "accel/dataflow.h"
#include "accel/machine.h"
#include "accel/map_constraints.h"
#include "codesign/file_parameters.h"
#include "codesign/technology_file.h"
#include "datasets/document.h"

namespace cosearch::codesign {

extern const std::string_view kMachineSchema;

struct MachineDescription {
  accel::Machine machine;
  /// One entry for each level, or none when the file has none.
  accel::MapConstraints constraints;
  /// Of a template: the rule that the template mapper follows.
  std::optional<accel::Dataflow> dataflow;
  friend bool operator==(const MachineDescription&, const MachineDescription&) = default;
};

/// A machine file, read once for any values of its parameters. One thread.
class MachineFile {
 public:
  /// Texts by path, which stand for files.
  using Files = std::map<std::string, std::string>;

  /// A shipped machine or a YAML file, by name without parameters; `technologies` stand for what
  /// is in their places. Throws FileError and UserError.
  explicit MachineFile(const std::string& name, Files technologies = {});
  explicit MachineFile(datasets::Document document, Files technologies = {});

  /// As it was asked for.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& text() const { return document_.text; }
  /// Whether the program has it.
  [[nodiscard]] bool is_shipped() const;
  /// Its parameters with their defaults, in the order of the file.
  [[nodiscard]] const ParameterValues& parameters() const { return parameters_; }
  /// The parameter whose value is the technology; empty where there is none.
  [[nodiscard]] const std::string& technology_parameter() const { return technology_parameter_; }
  /// The technologies from files that its machines so far were made of.
  [[nodiscard]] const Files& technology_files() const { return technologies_->files(); }

  /// The machine (schema: machine.schema.json) under `values`. Every cost is a number: what the
  /// file leaves out is from its technology: of a path in the file, beside it; of one in `values`,
  /// where that leads. Throws UserError at the line of what is wrong, or for a parameter that the
  /// file does not have.
  [[nodiscard]] MachineDescription with(const ParameterValues& values) const;

 private:
  std::string name_;
  datasets::Document document_;
  ParameterValues parameters_;
  std::string technology_parameter_;
  std::shared_ptr<Technologies> technologies_;
};

/// The machine in `document` under the parameters in `values`.
[[nodiscard]] MachineDescription read_machine(datasets::Document document,
                                              const ParameterValues& values = {});

/// A shipped machine ("eyeriss-v1") or a YAML file, with or without parameters
/// ("nvdla:pe_rows=8,pe_columns=8"); the machine's name then ends in them.
[[nodiscard]] MachineDescription find_machine(const std::string& what);

/// ":pe_rows=8,pe_columns=8": what find_machine takes after a name; empty for no values.
[[nodiscard]] std::string shown_parameters(const ParameterValues& values);

/// Names of the shipped machines.
[[nodiscard]] std::vector<std::string> machine_names();

/// A file from which read_machine reads an equal description: no technology, no parameters.
[[nodiscard]] std::string write_machine(const MachineDescription& description);

}  // namespace cosearch::codesign
