// Networks trained so far by a measurement that may be stopped at any moment, in a file of text
// beside the table they will make: one JSON object a line, the first of which says what is
// measured.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "codesign/accuracy_measurement.h"
#include "datasets/descriptor.h"
#include "datasets/writer_lock.h"

namespace cosearch::codesign {

/// Protocol: construct append* remove. One process at a time holds it.
class TrainingLog {
 public:
  /// Begins the log at `path`, or goes on with the one that is there: what a crash cut short at its
  /// end is dropped and trained again. `measurement`: an object of everything that the results
  /// depend on. Throws UserError when the log there was begun for another measurement, naming what
  /// differs, or a line of it is damaged; FileError when another process holds it or the file
  /// system refuses.
  TrainingLog(const std::filesystem::path& path, const nlohmann::json& measurement);

  /// Those of earlier runs.
  [[nodiscard]] const std::vector<TrainedNetwork>& networks() const { return networks_; }

  /// When it returns, the network is on the disk.
  void append(const TrainedNetwork& network);

  /// Once the table stands.
  void remove();

 private:
  void read(const nlohmann::json& measurement);
  void append(const nlohmann::json& row);

  datasets::WriterLock lock_;
  datasets::Descriptor file_;
  std::uint64_t end_ = 0;  ///< of what is on the disk
  std::vector<TrainedNetwork> networks_;
};

}  // namespace cosearch::codesign
