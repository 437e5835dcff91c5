// Networks trained so far by a measurement that may be stopped at any moment.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "codesign/accuracy_measurement.h"
#include "codesign/json_lines.h"

namespace cosearch::codesign {

/// Protocol: construct append* remove. One process at a time holds it.
class TrainingLog {
 public:
  /// Begins the log at `path`, or goes on with the one that is there, as JsonLines does and with
  /// its errors. `measurement`: an object of everything that the results depend on.
  TrainingLog(const std::filesystem::path& path, const nlohmann::json& measurement);

  /// Those of earlier runs.
  [[nodiscard]] const std::vector<TrainedNetwork>& networks() const { return networks_; }

  /// When it returns, the network is on the disk.
  void append(const TrainedNetwork& network);

  /// Once the table stands.
  void remove() { lines_.remove(); }

 private:
  JsonLines lines_;
  std::vector<TrainedNetwork> networks_;
};

}  // namespace cosearch::codesign
