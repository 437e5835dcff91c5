// What the loader and the module of neural predictors agree on: a file name and two functions in
// it.
#pragma once

namespace cosearch::predictors {

class Predictor;
class Recommender;

inline constexpr const char* kNeuralModuleFile = "libcosearch_neural.so";
inline constexpr const char* kNeuralFactoryName = "cosearch_create_neural_predictor_1";

/// Returns a new Predictor that the caller deletes; null for an unknown model. `ranks`: pairwise
/// instead of squared loss.
using NeuralFactory = Predictor* (*)(const char* model, bool ranks);

inline constexpr const char* kRecommenderFactoryName = "cosearch_create_neural_recommender_1";

/// Returns a new Recommender that the caller deletes; null for an unknown model.
using RecommenderFactory = Recommender* (*)(const char* model);

}  // namespace cosearch::predictors
