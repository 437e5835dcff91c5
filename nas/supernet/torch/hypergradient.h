// Gradients of a bilevel problem: minimise over a the validation loss at the weights w*(a) that
// minimise the training loss. Sources: see Hypergradient.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <vector>

#include "nas/supernet/differentiable_search.h"

namespace cosearch::nas {

using Tensors = std::vector<torch::Tensor>;

struct BilevelProblem {
  Tensors weights, architecture;  ///< leaves that require gradients
  /// Scalars, at what these hold when called; the same batch at every call.
  std::function<torch::Tensor()> training_loss, validation_loss;
};

/// By `architecture`, and the validation loss itself. The weights are left as they were.
struct BilevelGradient {
  Tensors gradient;
  double validation_loss = 0;
};

[[nodiscard]] BilevelGradient first_order_gradient(const BilevelProblem& problem);

/// `rate`: length of the step from w, w' = w - rate * gradient; the product with the second
/// derivative is a central difference over 0.01 / |gradient of the validation loss at w'|.
[[nodiscard]] BilevelGradient second_order_gradient(const BilevelProblem& problem, double rate);

/// Of the inverse Hessian H^-1 = rate * sum of (I - rate * H)^k, k = 0, 1, ..., the terms up to
/// k = `terms`; products with second derivatives are exact.
[[nodiscard]] BilevelGradient implicit_gradient(const BilevelProblem& problem, int terms,
                                                double rate);

/// Expectation of the latency, fixed part included, under softmax of `architecture`, by choice; it
/// can be differentiated.
[[nodiscard]] torch::Tensor expected_latency(const Tensors& architecture,
                                             const ChoiceLatencies& latencies);

}  // namespace cosearch::nas
