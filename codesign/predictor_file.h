// A trained predictor in one HDF5 file, with all that is needed to ask it again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "codesign/predictor_data.h"
#include "predictors/predictor.h"
#include "predictors/target_scale.h"

namespace cosearch::codesign {

struct TrainedPredictor {
  std::string model;  ///< as predictors::make_predictor takes it
  FeatureSource source;
  std::string target;  ///< the column it predicts
  std::string kind;    ///< what that is: "accuracy", "latency" or "energy"
  predictors::TargetScale scale;
  std::unique_ptr<predictors::Predictor> predictor;
  std::uint64_t examples = 0, seed = 0;  ///< it was trained on, and with
};

/// Throws FileError; what stood at `path` before then still does.
void write_predictor(const std::filesystem::path& path, const TrainedPredictor& trained);

/// Predicts as the predictor that was written, bit by bit. Throws FileError when the file cannot be
/// read, and UserError, naming the file, when it is no predictor or one of another version.
/// `module_folder`: of the neural models.
[[nodiscard]] TrainedPredictor read_predictor(const std::filesystem::path& path,
                                              const std::filesystem::path& module_folder = {});

}  // namespace cosearch::codesign
