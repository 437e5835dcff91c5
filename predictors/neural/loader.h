// The neural predictors, from a module that is loaded when the first one is asked for: LibTorch
// takes half a second to start, and no other predictor needs it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "predictors/predictor.h"
#include "predictors/recommender.h"

namespace cosearch::predictors {

/// One of the module's models. Throws UserError saying what to install or build when the module is
/// not in `module_folder`, and why when it does not load.
[[nodiscard]] std::unique_ptr<Predictor> load_neural_predictor(
    const std::string& model, Loss loss, const std::filesystem::path& module_folder);

/// The same of its recommenders.
[[nodiscard]] std::unique_ptr<Recommender> load_neural_recommender(
    const std::string& model, const std::filesystem::path& module_folder);

}  // namespace cosearch::predictors
