// The module of neural predictors, loaded by load_neural_predictor.
#include <torch/torch.h>

#include <algorithm>
#include <numeric>

#include "core/random.h"
#include "core/user_error.h"
#include "predictors/feature_scaler.h"
#include "predictors/fold_ensemble.h"
#include "predictors/neural/module.h"
#include "predictors/neural/torch/networks.h"
#include "predictors/neural/torch/training.h"

namespace cosearch::predictors {
namespace {

using torch::Tensor;

// Chosen once on splits with other seeds than the bench's.
constexpr TrainingPlan kPlan{
    .steps = 300, .batch = 32, .learning_rate = 3e-3, .weight_decay = 1e-2};
constexpr std::int64_t kRowsAtOnce = 1024;
constexpr std::size_t kMostVertices = 64;

void check_graphs(const Examples& examples) {
  if (examples.graphs.empty())
    throw UserError("this predictor reads graphs, and the networks' space has none");
  for (std::size_t row = 0; row < examples.graphs.size(); ++row) {
    const OperationGraph& graph = examples.graphs[row];
    const auto vertices = graph.operations.size();
    bool fits = vertices > 0 && vertices <= kMostVertices;
    for (const std::uint32_t operation : graph.operations)
      fits = fits && operation < examples.operation_kinds;
    for (const auto& [from, to] : graph.edges) fits = fits && from < to && to < vertices;
    if (!fits)
      throw UserError("example " + std::to_string(row) + ": its graph is empty, has more than " +
                      std::to_string(kMostVertices) + " vertices or an unknown operation");
  }
}

// Graphs side by side, as large as the largest.
void fill_graphs(NetworkInput& input, const Examples& examples) {
  std::size_t vertices = 1;
  for (const OperationGraph& graph : examples.graphs)
    vertices = std::max(vertices, graph.operations.size());
  const auto rows = std::ssize(examples.graphs), width = static_cast<std::ptrdiff_t>(vertices);
  input.operations = torch::zeros({rows, width, examples.operation_kinds});
  input.edges = torch::zeros({rows, width, width});
  input.is_vertex = torch::zeros({rows, width});
  auto operations = input.operations.accessor<float, 3>();
  auto edges = input.edges.accessor<float, 3>();
  auto is_vertex = input.is_vertex.accessor<float, 2>();
  for (std::int64_t row = 0; row < rows; ++row) {
    const OperationGraph& graph = examples.graphs[static_cast<std::size_t>(row)];
    for (std::size_t v = 0; v < graph.operations.size(); ++v) {
      const auto place = static_cast<std::int64_t>(v);
      operations[row][place][graph.operations[v]] = 1;
      is_vertex[row][place] = 1;
    }
    for (const auto& [from, to] : graph.edges) edges[row][from][to] = 1;
  }
}

NetworkInput rows_of(const NetworkInput& input, const Tensor& chosen) {
  const auto pick = [&](const Tensor& all) {
    return all.defined() ? all.index_select(0, chosen) : all;
  };
  return {pick(input.features), pick(input.operations), pick(input.edges), pick(input.is_vertex)};
}

Tensor pairwise_loss(const Tensor& scores, const Tensor& targets) {
  // C. Burges et al., "Learning to rank using gradient descent", ICML 2005, eq. 3, over the pairs
  // that differ.
  const Tensor is_better = (targets.unsqueeze(1) > targets.unsqueeze(0)).to(torch::kFloat32);
  const Tensor lead = scores.unsqueeze(1) - scores.unsqueeze(0);
  return (torch::softplus(-lead) * is_better).sum() / is_better.sum().clamp_min(1);
}

class NeuralEnsemble final : public FoldEnsemble {
 public:
  NeuralEnsemble(std::string model, Loss loss) : model_(std::move(model)), loss_(loss) {}

 protected:
  void learn(const Examples& examples, std::span<const double> targets,
             std::uint64_t seed) override {
    if (reads_graphs(model_)) check_graphs(examples);
    if (!reads_graphs(model_) && examples.columns.empty())
      throw UserError("this predictor reads features, and none are given");
    scaler_ = FeatureScaler(examples, FeatureScaler::Scope::all_columns);
    shape_ = {std::ssize(examples.columns), examples.operation_kinds};
    FoldEnsemble::learn(examples, targets, seed);
  }

  [[nodiscard]] std::vector<Prediction> infer(const Examples& examples) const override {
    if (reads_graphs(model_)) {
      check_graphs(examples);
      if (examples.operation_kinds != shape_.operation_kinds)
        throw UserError("these are not the graphs the predictor was trained on: they have " +
                        std::to_string(examples.operation_kinds) + " operations, expected " +
                        std::to_string(shape_.operation_kinds));
    }
    return FoldEnsemble::infer(examples);
  }

  void write(ModelState& state) const override {
    FoldEnsemble::write(state);
    scaler_.write(state);
    state.numbers["operation_kinds"] = {static_cast<double>(shape_.operation_kinds)};
  }

  void read(const ModelState& state) override {
    scaler_ = FeatureScaler(state);
    const double kinds = state.number("operation_kinds");
    if (!(kinds >= 0 && kinds < 1e6)) throw UserError("the predictor's graphs are damaged");
    shape_ = {std::ssize(columns()), static_cast<std::int64_t>(kinds)};
    FoldEnsemble::read(state);
  }

  [[nodiscard]] std::unique_ptr<Member> train(const Examples& examples,
                                              std::span<const double> targets, std::uint64_t seed,
                                              std::size_t number) const override;
  [[nodiscard]] std::unique_ptr<Member> load(const std::vector<std::uint8_t>& bytes) const override;

 private:
  class Network;

  [[nodiscard]] NetworkInput input_of(const Examples& examples) const {
    NetworkInput input{as_tensor(scaler_.apply(examples)), {}, {}, {}};
    if (reads_graphs(model_)) fill_graphs(input, examples);
    return input;
  }

  std::string model_;
  Loss loss_;
  FeatureScaler scaler_;
  NetworkShape shape_;
};

class NeuralEnsemble::Network final : public Member {
 public:
  Network(const NeuralEnsemble& ensemble, std::shared_ptr<ScoringNetwork> network)
      : ensemble_(ensemble), network_(std::move(network)) {}

  [[nodiscard]] std::vector<double> predict(const Examples& examples) const override {
    use_one_thread();
    const torch::NoGradGuard no_gradient;
    std::vector<double> outputs;
    for (std::size_t first = 0; first < examples.rows(); first += kRowsAtOnce) {
      std::vector<std::size_t> rows(std::min<std::size_t>(kRowsAtOnce, examples.rows() - first));
      std::iota(rows.begin(), rows.end(), first);
      const Tensor scores =
          network_->forward(ensemble_.input_of(examples.subset(rows))).contiguous();
      const float* values = scores.data_ptr<float>();
      outputs.insert(outputs.end(), values, values + scores.numel());
    }
    return outputs;
  }

  [[nodiscard]] std::vector<std::uint8_t> bytes() const override {
    return parameter_bytes(*network_);
  }

 private:
  const NeuralEnsemble& ensemble_;
  std::shared_ptr<ScoringNetwork> network_;
};

std::unique_ptr<FoldEnsemble::Member> NeuralEnsemble::train(const Examples& examples,
                                                            std::span<const double> targets,
                                                            std::uint64_t seed,
                                                            std::size_t number) const {
  use_one_thread();
  const auto network = make_network(model_, shape_);
  draw_weights(*network, Random(seed, "neural predictor weights", number));
  const NetworkInput input = input_of(examples);
  const std::vector<float> labels(targets.begin(), targets.end());
  const Tensor target = torch::tensor(labels, torch::TensorOptions().dtype(torch::kFloat32));

  predictors::train(*network, target.size(0), kPlan,
                    Random(seed, "neural predictor batches", number), [&](const Tensor& chosen) {
                      const Tensor scores = network->forward(rows_of(input, chosen));
                      const Tensor wanted = target.index_select(0, chosen);
                      return loss_ == Loss::pairwise ? pairwise_loss(scores, wanted)
                                                     : torch::mse_loss(scores, wanted);
                    });
  return std::make_unique<Network>(*this, network);
}

std::unique_ptr<FoldEnsemble::Member> NeuralEnsemble::load(
    const std::vector<std::uint8_t>& bytes) const {
  use_one_thread();
  const auto network = make_network(model_, shape_);
  restore_parameters(*network, bytes);
  return std::make_unique<Network>(*this, network);
}

}  // namespace
}  // namespace cosearch::predictors

extern "C" cosearch::predictors::Predictor* cosearch_create_neural_predictor_1(const char* model,
                                                                               bool ranks) {
  using namespace cosearch::predictors;
  if (make_network(model, {1, 1}) == nullptr) return nullptr;
  return new NeuralEnsemble(model, ranks ? Loss::pairwise : Loss::squared);
}
