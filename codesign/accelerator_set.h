// The candidate accelerators of a study, and what its store says of them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "accel/dataflow.h"
#include "accel/machine.h"
#include "accel/map_constraints.h"
#include "codesign/machine_file.h"
#include "datasets/study_store.h"

namespace cosearch::codesign {

struct Accelerator {
  accel::Machine machine;                                    ///< its name is the accelerator's
  std::shared_ptr<const accel::MapConstraints> constraints;  ///< shared by those of one file
  std::optional<accel::Dataflow> dataflow;
  /// The machine file it is made from: a template's or machine's name, or a path.
  std::string family;
  /// As many as the set's columns; NaN where the file has no such number.
  std::vector<double> parameters = {};
  std::string text_parameters = {};  ///< JSON: those that no column can hold, by name
};

struct AcceleratorSet {
  /// Parameters that are numbers with or without a unit, over all files, in order of appearance.
  std::vector<datasets::ParameterColumn> columns;
  std::vector<Accelerator> list;
  /// Text by path of the machine files and technologies that do not ship with the program.
  std::map<std::string, std::string> files;

  /// The machine of `file` under `values`, as `name`. Throws UserError when it cannot be.
  void add(const std::string& name, const MachineFile& file, const ParameterValues& values);
};

/// Each as accelerator_spec() has it. Throws UserError for one that there is not.
[[nodiscard]] AcceleratorSet accelerators_named(const std::vector<std::string>& names);

/// The parameters of `row` that are no numbers: an object of texts.
[[nodiscard]] nlohmann::json texts_of(const datasets::AcceleratorRow& row);

/// The store's table of the accelerators of `set`.
[[nodiscard]] datasets::AcceleratorTable table_of(const AcceleratorSet& set);

}  // namespace cosearch::codesign
