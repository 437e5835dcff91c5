// Accelerators: machine files with values of their parameters, under names of their own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codesign/machine_file.h"
#include "datasets/document.h"

namespace cosearch::codesign {

extern const std::string_view kAcceleratorSchema;

struct AcceleratorSpec {
  std::string name;
  /// What MachineFile takes.
  std::string machine;
  ParameterValues parameters;
};

/// Throws UserError with a suggestion.
[[nodiscard]] AcceleratorSpec named_accelerator(const std::string& name);

/// The accelerator in `document` (schema: accelerator.schema.json): a template and its parameters.
/// A technology file is looked for beside it. Throws UserError at the line of what is wrong.
[[nodiscard]] AcceleratorSpec read_accelerator(const datasets::Document& document);

/// A named accelerator ("nvdla-256") or the YAML file of one.
[[nodiscard]] AcceleratorSpec accelerator_spec(const std::string& what);

/// A named accelerator ("nvdla-256") or a YAML file of a template and parameters. Its
/// machine's name is its own.
[[nodiscard]] MachineDescription find_accelerator(const std::string& what);

/// Every combination of values of a machine file's parameters.
class MachineGrid {
 public:
  using Values = std::vector<std::pair<std::string, std::vector<std::string>>>;

  /// Requires at least one value of each parameter.
  MachineGrid(std::shared_ptr<const MachineFile> file, Values values)
      : file_(std::move(file)), values_(std::move(values)) {}

  [[nodiscard]] const MachineFile& file() const { return *file_; }
  /// In the order of the file's parameters.
  [[nodiscard]] const Values& values() const { return values_; }
  /// Exact below 2^53.
  [[nodiscard]] double size() const;
  /// Requires index < size(), that below 2^64. The last parameter varies fastest.
  [[nodiscard]] ParameterValues at(std::uint64_t index) const;

 private:
  std::shared_ptr<const MachineFile> file_;
  Values values_;
};

/// Gives the path of a file that stands at a pointer of a document.
using PathOf = std::function<std::string(const std::string& file, const std::string& pointer)>;

/// The grid at `pointer` of `document`: a 'template' or a 'machine', and one or more values for
/// each of its parameters. Throws UserError at the line of a value that stands twice, or that is
/// not possible while others are the first of their lists.
[[nodiscard]] MachineGrid read_grid(const datasets::Document& document, const std::string& pointer,
                                    const PathOf& path_of);

}  // namespace cosearch::codesign
