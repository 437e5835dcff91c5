// One point of a stored study, made whole again: its network, its accelerator, and the files from
// which they can be costed and searched anew.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "codesign/machine_file.h"
#include "codesign/mapper_choice.h"
#include "core/network.h"
#include "datasets/study_store.h"

namespace cosearch::codesign {

class StoredDesign {
 public:
  /// Throws UserError when the store has no point `id`, and when its network was asked about alone.
  StoredDesign(const datasets::StudyStore& store, std::uint64_t id);

  /// ("accuracy", "94.1 percent"): what is known of the point, for people, in the store's order.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> facts() const;
  [[nodiscard]] Network network() const;
  /// Of machine and technology files: as they were when the study began.
  [[nodiscard]] MachineDescription accelerator() const;
  [[nodiscard]] const MapperChoice& mapping() const { return mapping_; }

  /// Writes accelerator.yaml (machine.yaml where that takes other files) and network.yaml for
  /// `cost`, study.yaml and network.csv for `run`, and space.yaml where a file describes the space,
  /// to `folder`, which is made if need be; study.yaml finds this one design again. Throws
  /// FileError.
  void write_files(const std::filesystem::path& folder) const;

 private:
  /// Whether the accelerator's name says its numbers; else the table's columns do.
  [[nodiscard]] bool is_named_in_full() const;
  /// Whether a file of a template and its parameters says all of it.
  [[nodiscard]] bool is_written_as_template() const;
  [[nodiscard]] ParameterValues parameter_values() const;
  [[nodiscard]] std::string accelerator_yaml(const std::string& indent) const;
  [[nodiscard]] std::string study_yaml() const;

  datasets::PointBatch point_;  // one row
  std::vector<datasets::MetricColumn> metrics_;
  datasets::NetworkRow network_;
  std::vector<datasets::ParameterColumn> parameters_;
  datasets::AcceleratorRow accelerator_;
  ParameterValues text_parameters_;
  std::string strategy_, reason_, name_;
  std::string space_options_, space_file_;  // JSON, YAML
  std::string mapping_text_;                // JSON; empty: not given
  MapperChoice mapping_;
  std::map<std::string, std::string> machine_files_;
  std::string accuracy_source_;
  double accuracy_ = std::numeric_limits<double>::quiet_NaN();  // percent
  std::vector<std::string> objectives_;
};

}  // namespace cosearch::codesign
