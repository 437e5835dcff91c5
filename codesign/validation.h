// Cases of validation: what others measured, published or computed, beside what we compute. They
// ship with the program as YAML (codesign/data/validation); people may add files of their own.
//
// An error is a finding, not a failure: nothing here passes or fails. Only a case that cannot run
// is a failure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "accel/loop_nest.h"
#include "accel/optimal_mapper.h"
#include "codesign/machine_file.h"
#include "codesign/workers.h"
#include "core/layer.h"
#include "datasets/document.h"

namespace cosearch::codesign {

extern const std::string_view kValidationSchema;

struct ValidationSource {
  std::string text;
  /// How the number is known: "read" in the source itself, "transcribed" by others whose copy was
  /// read, "recalled" from memory, or "derived" in the file.
  std::string known;
  friend bool operator==(const ValidationSource&, const ValidationSource&) = default;
};

/// Counts of one level and tensor that a case expects: of the busiest instance.
struct ExpectedCounts {
  std::size_t level = 0;
  Tensor tensor = Tensor::input;
  std::int64_t reads = 0, fills = 0, updates = 0;
};

struct ReferenceValue {
  std::string quantity;   ///< one of quantity_names()
  std::size_t level = 0;  ///< of the machine, for quantities of one level
  double value = 0;       ///< in the quantity's unit
  std::string source;     ///< key in the suite's sources
  std::vector<ExpectedCounts> counts;
};

struct ValidationLayer {
  Layer layer;
  std::int64_t times = 1;
};

struct ValidationCase {
  std::string name;
  MachineDescription description;
  accel::MappingObjective objective;
  accel::Accounting accounting = accel::Accounting::exact;
  std::vector<ValidationLayer> layers;
  std::optional<accel::LoopNest> mapping;  ///< of the only layer; otherwise the best one is found
  double images = 1;                       ///< that the layers process together
  bool slow = false;                       ///< takes more than seconds
  std::vector<ReferenceValue> values;
};

struct ValidationSuite {
  std::string name, about;
  std::map<std::string, ValidationSource> sources;
  std::vector<ValidationCase> cases;
};

/// Throws UserError at the line of what is wrong: an unknown machine, a mapping that does not run,
/// a quantity that the case cannot have.
[[nodiscard]] ValidationSuite read_validation(const datasets::Document& document);

/// What ships with the program, in the order in which a report shows it.
[[nodiscard]] std::vector<ValidationSuite> shipped_validation();

/// One value beside ours.
struct ValidationRow {
  std::string item;  ///< the case, and the level where there is one
  std::string quantity, unit;
  double reference = 0, ours = 0;
  ValidationSource source;

  [[nodiscard]] double error() const { return ours / reference - 1; }
};

/// All rows of one quantity of a suite.
struct ValidationSummary {
  std::string quantity;
  std::size_t count = 0;
  double median_ratio = 0;   ///< ours over the reference
  double median_error = 0;   ///< of |ours / reference - 1|
  double largest_error = 0;  ///< the one farthest from 0, with its sign
  std::string farthest{};    ///< its item
  double spearman = 0;       ///< NaN below three rows
};

struct ValidationReport {
  std::string suite, about;
  std::vector<ValidationRow> rows{};
  std::vector<ValidationSummary> summaries{};  ///< of quantities with two rows or more
  std::vector<std::string> left_out{};         ///< slow cases, by name
  std::vector<std::string> failures{};         ///< cases that cannot run, and why
};

struct ValidationOptions {
  bool slow = false;  ///< run slow cases too
};

/// In the order of `suites`; the same for any number of workers.
[[nodiscard]] std::vector<ValidationReport> run_validation(
    const std::vector<ValidationSuite>& suites, const ValidationOptions& options, Workers& workers);

}  // namespace cosearch::codesign
