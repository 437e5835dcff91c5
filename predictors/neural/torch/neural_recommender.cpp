// The recommender of the module of neural predictors, loaded by load_neural_recommender: a
// perceptron with a class for each choice that occurs, as in AIrchitect, but from standardised
// numbers where that embeds every distinct integer: shapes that training never met have no
// embedding.
#include <torch/torch.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>

#include "predictors/feature_scaler.h"
#include "predictors/neural/module.h"
#include "predictors/neural/torch/training.h"
#include "predictors/recommender.h"

namespace cosearch::predictors {
namespace {

using torch::Tensor;
using torch::nn::Linear;

// A size and a budget that fit thousands of workloads in seconds; not tuned.
constexpr std::int64_t kHidden = 256, kBatch = 128, kEpochs = 60, kLeastSteps = 300;

class Classifier final : public torch::nn::Module {
 public:
  Classifier(std::int64_t features, std::int64_t classes)
      : first_(register_module("first", Linear(features, kHidden))),
        second_(register_module("second", Linear(kHidden, kHidden))),
        last_(register_module("last", Linear(kHidden, classes))) {}
  /// rows x features to logits, rows x classes.
  Tensor forward(const Tensor& x) { return last_(torch::relu(second_(torch::relu(first_(x))))); }

 private:
  Linear first_, second_, last_;
};

class NeuralRecommender final : public Recommender {
 protected:
  void learn(const Examples& workloads, std::span<const std::uint32_t> best,
             std::uint64_t seed) override {
    use_one_thread();
    scaler_ = FeatureScaler(workloads, FeatureScaler::Scope::all_columns);
    make_network();
    draw_weights(*network_, Random(seed, "neural recommender weights"));
    const Tensor features = as_tensor(scaler_.apply(workloads));
    const std::vector<std::int64_t> labels(best.begin(), best.end());
    const Tensor wanted = torch::tensor(labels, torch::TensorOptions().dtype(torch::kInt64));
    const auto rows = static_cast<std::int64_t>(best.size());
    const TrainingPlan plan{.steps = std::max(kLeastSteps, kEpochs * rows / kBatch),
                            .batch = kBatch,
                            .learning_rate = 2e-3,
                            .weight_decay = 1e-2};
    train(*network_, rows, plan, Random(seed, "neural recommender batches"),
          [&](const Tensor& chosen) {
            return torch::nn::functional::cross_entropy(
                network_->forward(features.index_select(0, chosen)),
                wanted.index_select(0, chosen));
          });
  }

  [[nodiscard]] std::vector<double> infer(const Examples& workloads) const override {
    use_one_thread();
    const torch::NoGradGuard no_gradient;
    const Tensor shares =
        torch::softmax(network_->forward(as_tensor(scaler_.apply(workloads))), 1).contiguous();
    const float* values = shares.data_ptr<float>();
    return {values, values + shares.numel()};
  }

  void write(ModelState& state) const override {
    scaler_.write(state);
    state.bytes["weights"] = parameter_bytes(*network_);
  }

  void read(const ModelState& state) override {
    use_one_thread();
    scaler_ = FeatureScaler(state);
    make_network();
    restore_parameters(*network_, state.bytes_of("weights"));
  }

 private:
  void make_network() {
    network_ =
        std::make_shared<Classifier>(std::ssize(columns()), static_cast<std::int64_t>(occurring()));
  }

  FeatureScaler scaler_;
  std::shared_ptr<Classifier> network_;
};

}  // namespace
}  // namespace cosearch::predictors

extern "C" cosearch::predictors::Recommender* cosearch_create_neural_recommender_1(
    const char* model) {
  using namespace cosearch::predictors;
  return std::strcmp(model, "mlp") == 0 ? new NeuralRecommender : nullptr;
}
