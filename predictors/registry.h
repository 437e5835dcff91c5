// The predictors by name.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "predictors/predictor.h"

namespace cosearch::predictors {

struct PredictorInfo {
  std::string name;
  std::string reads;  ///< "features" or "graphs, features"
  bool ranks;         ///< offers Loss::pairwise
  bool neural;        ///< needs LibTorch
  std::string sentence;
};

[[nodiscard]] const std::vector<PredictorInfo>& predictors();

/// `name` of predictors(), with ":rank" after it for the pairwise ranking loss. Throws UserError
/// (with a suggestion) for an unknown name, for a loss that the model does not offer, and when a
/// neural model's module is not in `module_folder`.
[[nodiscard]] std::unique_ptr<Predictor> make_predictor(
    const std::string& name, const std::filesystem::path& module_folder = {});

/// Throws UserError as make_predictor does, without making anything.
[[nodiscard]] const PredictorInfo& find_predictor(const std::string& name);

}  // namespace cosearch::predictors
