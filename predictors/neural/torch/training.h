// What all neural models share: one thread, weights and batches from our own random streams, AdamW
// along half a cosine, and parameters as bytes.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "core/random.h"
#include "predictors/feature_scaler.h"

namespace cosearch::predictors {

/// For the calling thread: LibTorch's and OpenMP's settings belong to a thread each.
void use_one_thread();

[[nodiscard]] torch::Tensor as_tensor(const Matrix& matrix);

/// Matrices uniform, of variance 1 / inputs; biases zero; scales of normalisations as they are.
/// From our own stream: LibTorch's generator is one for all threads, and its numbers its own.
void draw_weights(torch::nn::Module& network, Random random);

struct TrainingPlan {
  std::int64_t steps;
  std::int64_t batch;  ///< rows a step; all of them where there are fewer
  double learning_rate;
  double weight_decay;
};

/// Minimises `loss` of the rows given to it, which come from one order of all `rows` after another.
void train(torch::nn::Module& network, std::int64_t rows, const TrainingPlan& plan, Random batches,
           const std::function<torch::Tensor(const torch::Tensor& chosen)>& loss);

/// The parameters' numbers, in the order in which the network registers them.
[[nodiscard]] std::vector<std::uint8_t> parameter_bytes(const torch::nn::Module& network);

/// Throws UserError when there are more or fewer bytes than the network has.
void restore_parameters(torch::nn::Module& network, const std::vector<std::uint8_t>& bytes);

}  // namespace cosearch::predictors
