// What the loader and the module of neural predictors agree on: a file name and one function in it.
#pragma once

namespace cosearch::predictors {

class Predictor;

inline constexpr const char* kNeuralModuleFile = "libcosearch_neural.so";
inline constexpr const char* kNeuralFactoryName = "cosearch_create_neural_predictor_1";

/// Returns a new Predictor that the caller deletes; null for an unknown model. `ranks`: pairwise
/// instead of squared loss.
using NeuralFactory = Predictor* (*)(const char* model, bool ranks);

}  // namespace cosearch::predictors
