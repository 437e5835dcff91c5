#include "nas/supernet/torch/hypergradient.h"

#include <cmath>
#include <cstddef>
#include <utility>

namespace cosearch::nas {
namespace {

// Zeros for what `loss` does not depend on.
Tensors gradients(const torch::Tensor& loss, const Tensors& by, bool differentiable = false) {
  Tensors found = torch::autograd::grad({loss}, by, /*grad_outputs=*/{},
                                        /*retain_graph=*/differentiable,
                                        /*create_graph=*/differentiable, /*allow_unused=*/true);
  for (std::size_t i = 0; i < found.size(); ++i)
    if (!found[i].defined()) found[i] = torch::zeros_like(by[i]);
  return found;
}

// The gradient by `by` of the product of `first` (itself a gradient) and `vector`.
Tensors second_derivative_times(const Tensors& first, const Tensors& by, const Tensors& vector) {
  torch::Tensor product = torch::zeros({});
  for (std::size_t i = 0; i < first.size(); ++i) product = product + (first[i] * vector[i]).sum();
  // The graph is kept: the next term asks it again.
  Tensors found = torch::autograd::grad({product}, by, {}, /*retain_graph=*/true,
                                        /*create_graph=*/false, /*allow_unused=*/true);
  for (std::size_t i = 0; i < found.size(); ++i)
    if (!found[i].defined()) found[i] = torch::zeros_like(by[i]);
  return found;
}

void add(const Tensors& to, const Tensors& what, double times) {
  const torch::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < to.size(); ++i) to[i].detach().add_(what[i], times);
}

double norm_of(const Tensors& tensors) {
  double squares = 0;
  for (const torch::Tensor& tensor : tensors) squares += tensor.square().sum().item<double>();
  return std::sqrt(squares);
}

Tensors copies_of(const Tensors& tensors) {
  Tensors copies;
  for (const torch::Tensor& tensor : tensors) copies.push_back(tensor.detach().clone());
  return copies;
}

// Both gradients of the validation loss in one pass.
struct ValidationGradients {
  double loss;
  Tensors by_weights, by_architecture;
};

ValidationGradients validation_gradients(const BilevelProblem& problem) {
  const torch::Tensor loss = problem.validation_loss();
  Tensors all = problem.weights;
  all.insert(all.end(), problem.architecture.begin(), problem.architecture.end());
  Tensors found = gradients(loss, all);
  const auto middle = found.begin() + static_cast<std::ptrdiff_t>(problem.weights.size());
  return {loss.item<double>(), {found.begin(), middle}, {middle, found.end()}};
}

}  // namespace

BilevelGradient first_order_gradient(const BilevelProblem& problem) {
  const torch::Tensor loss = problem.validation_loss();
  return {gradients(loss, problem.architecture), loss.item<double>()};
}

BilevelGradient second_order_gradient(const BilevelProblem& problem, double rate) {
  const Tensors before = copies_of(problem.weights);
  const auto set_weights = [&](const Tensors& change, double times) {
    const torch::NoGradGuard no_gradient;
    for (std::size_t i = 0; i < before.size(); ++i)
      problem.weights[i].detach().copy_(before[i] + times * change[i]);
  };
  set_weights(gradients(problem.training_loss(), problem.weights), -rate);
  ValidationGradients validation = validation_gradients(problem);
  if (const double norm = norm_of(validation.by_weights); norm > 0) {
    const double difference = 0.01 / norm;
    const auto training_gradient_at = [&](double times) {
      set_weights(validation.by_weights, times);
      return gradients(problem.training_loss(), problem.architecture);
    };
    add(validation.by_architecture, training_gradient_at(difference), -rate / (2 * difference));
    add(validation.by_architecture, training_gradient_at(-difference), rate / (2 * difference));
  }
  set_weights(before, 0);
  return {std::move(validation.by_architecture), validation.loss};
}

BilevelGradient implicit_gradient(const BilevelProblem& problem, int terms, double rate) {
  ValidationGradients validation = validation_gradients(problem);
  const Tensors training =
      gradients(problem.training_loss(), problem.weights, /*differentiable=*/true);
  Tensors term = copies_of(validation.by_weights);
  const Tensors sum = copies_of(term);
  for (int k = 0; k < terms; ++k) {
    add(term, second_derivative_times(training, problem.weights, term), -rate);
    add(sum, term, 1);
  }
  add(validation.by_architecture, second_derivative_times(training, problem.architecture, sum),
      -rate);
  return {std::move(validation.by_architecture), validation.loss};
}

torch::Tensor expected_latency(const Tensors& architecture, const ChoiceLatencies& latencies) {
  torch::Tensor sum = torch::full({}, latencies.fixed, torch::kFloat64);
  for (std::size_t choice = 0; choice < architecture.size(); ++choice)
    sum = sum + (architecture[choice].to(torch::kFloat64).softmax(0) *
                 torch::tensor(latencies.of[choice], torch::kFloat64))
                    .sum();
  return sum;
}

}  // namespace cosearch::nas
