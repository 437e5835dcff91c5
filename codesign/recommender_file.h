// A trained recommender in one HDF5 file, with the names of what it recommends.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "codesign/metrics.h"
#include "predictors/recommender.h"

namespace cosearch::codesign {

struct TrainedRecommender {
  std::string model;  ///< as predictors::make_recommender takes it
  Metric objective = Metric::latency;
  std::vector<std::string> choices = {};  ///< names of accelerators
  std::unique_ptr<predictors::Recommender> recommender;
};

/// Throws FileError; what stood at `path` before then still does.
void write_recommender(const std::filesystem::path& path, const TrainedRecommender& trained);

/// Recommends as the recommender that was written, bit by bit. Throws FileError when the file
/// cannot be read, and UserError, naming it, when it is no recommender or one of another version.
/// `module_folder`: of the neural models.
[[nodiscard]] TrainedRecommender read_recommender(const std::filesystem::path& path,
                                                  const std::filesystem::path& module_folder = {});

}  // namespace cosearch::codesign
