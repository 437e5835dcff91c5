#include "predictors/neural/torch/training.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <numeric>
#include <span>

#include "core/user_error.h"

// OpenBLAS keeps threads of its own, which LibTorch does not know of. Null with another BLAS.
extern "C" void openblas_set_num_threads(int threads) __attribute__((weak));

namespace cosearch::predictors {
namespace {

using torch::Tensor;

// Batches from one order of the rows after another.
class Batches {
 public:
  Batches(std::int64_t rows, std::int64_t batch, Random random)
      : random_(random), order_(static_cast<std::size_t>(rows)) {
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    batch_ = std::min(order_.size(), static_cast<std::size_t>(batch));
    next_ = order_.size();
  }
  Tensor next() {
    if (next_ + batch_ > order_.size()) {
      random_.shuffle(std::span(order_));
      next_ = 0;
    }
    const Tensor chosen =
        torch::from_blob(order_.data() + next_, {static_cast<std::int64_t>(batch_)}, torch::kInt64);
    next_ += batch_;
    return chosen.clone();
  }

 private:
  Random random_;
  std::vector<std::int64_t> order_;
  std::size_t batch_ = 0, next_ = 0;
};

}  // namespace

void use_one_thread() {
  at::set_num_threads(1);
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
}

Tensor as_tensor(const Matrix& matrix) {
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  RowMajor values = matrix.cast<float>();
  return torch::from_blob(values.data(), {matrix.rows(), matrix.cols()}, torch::kFloat32).clone();
}

void draw_weights(torch::nn::Module& network, Random random) {
  const torch::NoGradGuard no_gradient;
  for (auto& parameter : network.named_parameters()) {
    Tensor& values = parameter.value();
    if (values.dim() < 2) {
      if (parameter.key().ends_with("bias")) values.zero_();
      continue;
    }
    const double bound = std::sqrt(3.0 / static_cast<double>(values.size(1)));
    std::vector<float> drawn(static_cast<std::size_t>(values.numel()));
    for (float& value : drawn) value = static_cast<float>((2 * random.uniform() - 1) * bound);
    values.copy_(torch::from_blob(drawn.data(), values.sizes()));
  }
}

void train(torch::nn::Module& network, std::int64_t rows, const TrainingPlan& plan, Random batches,
           const std::function<Tensor(const Tensor& chosen)>& loss) {
  torch::optim::AdamW optimiser(
      network.parameters(),
      torch::optim::AdamWOptions(plan.learning_rate).weight_decay(plan.weight_decay));
  Batches order(rows, plan.batch, batches);
  for (std::int64_t step = 0; step < plan.steps; ++step) {
    const double done = static_cast<double>(step) / static_cast<double>(plan.steps);
    for (auto& group : optimiser.param_groups())
      static_cast<torch::optim::AdamWOptions&>(group.options())
          .lr(plan.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * done)));
    const Tensor value = loss(order.next());
    optimiser.zero_grad();
    value.backward();
    optimiser.step();
  }
}

std::vector<std::uint8_t> parameter_bytes(const torch::nn::Module& network) {
  std::vector<std::uint8_t> bytes;
  for (const Tensor& parameter : network.parameters()) {
    const Tensor values = parameter.detach().contiguous();
    const auto* begin = reinterpret_cast<const std::uint8_t*>(values.data_ptr<float>());
    bytes.insert(bytes.end(), begin, begin + values.nbytes());
  }
  return bytes;
}

void restore_parameters(torch::nn::Module& network, const std::vector<std::uint8_t>& bytes) {
  const torch::NoGradGuard no_gradient;
  std::size_t expected = 0;
  for (const Tensor& parameter : network.parameters()) expected += parameter.nbytes();
  if (bytes.size() != expected)
    throw UserError("the predictor's weights are damaged; train it again");
  std::size_t place = 0;
  for (Tensor& parameter : network.parameters()) {
    std::memcpy(parameter.data_ptr<float>(), bytes.data() + place, parameter.nbytes());
    place += parameter.nbytes();
  }
}

}  // namespace cosearch::predictors
