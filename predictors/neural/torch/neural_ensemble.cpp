// The module of neural predictors, loaded by load_neural_predictor.
#include <ATen/Parallel.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <numeric>

#include "core/random.h"
#include "core/user_error.h"
#include "predictors/feature_scaler.h"
#include "predictors/fold_ensemble.h"
#include "predictors/neural/module.h"
#include "predictors/neural/torch/networks.h"

// OpenBLAS keeps threads of its own, which LibTorch does not know of. Null with another BLAS.
extern "C" void openblas_set_num_threads(int threads) __attribute__((weak));

namespace cosearch::predictors {
namespace {

using torch::Tensor;

// AdamW along half a cosine. Chosen once on splits with other seeds than the bench's.
constexpr std::int64_t kSteps = 300, kBatch = 32;
constexpr double kLearningRate = 3e-3, kWeightDecay = 1e-2;
constexpr std::int64_t kRowsAtOnce = 1024;
constexpr std::size_t kMostVertices = 64;

// For the calling thread: LibTorch's and OpenMP's settings belong to a thread each.
void use_one_thread() {
  at::set_num_threads(1);
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
}

Tensor as_tensor(const Matrix& matrix) {
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  RowMajor values = matrix.cast<float>();
  return torch::from_blob(values.data(), {matrix.rows(), matrix.cols()}, torch::kFloat32).clone();
}

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

// From our own stream: LibTorch's generator is one for all threads, and its numbers its own.
void draw_weights(ScoringNetwork& network, Random random) {
  const torch::NoGradGuard no_gradient;
  for (auto& parameter : network.named_parameters()) {
    Tensor& values = parameter.value();
    if (values.dim() < 2) {
      // Scales of normalisations stay one.
      if (parameter.key().ends_with("bias")) values.zero_();
      continue;
    }
    const double bound = std::sqrt(3.0 / static_cast<double>(values.size(1)));
    std::vector<float> drawn(static_cast<std::size_t>(values.numel()));
    for (float& value : drawn) value = static_cast<float>((2 * random.uniform() - 1) * bound);
    values.copy_(torch::from_blob(drawn.data(), values.sizes()));
  }
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

  /// The parameters' numbers, in the order in which the network registers them.
  [[nodiscard]] std::vector<std::uint8_t> bytes() const override {
    std::vector<std::uint8_t> bytes;
    for (const Tensor& parameter : network_->parameters()) {
      const Tensor values = parameter.detach().contiguous();
      const auto* begin = reinterpret_cast<const std::uint8_t*>(values.data_ptr<float>());
      bytes.insert(bytes.end(), begin, begin + values.nbytes());
    }
    return bytes;
  }

 private:
  const NeuralEnsemble& ensemble_;
  std::shared_ptr<ScoringNetwork> network_;
};

// Batches from one order of the rows after another.
class Batches {
 public:
  Batches(std::int64_t rows, Random random)
      : random_(random), order_(static_cast<std::size_t>(rows)) {
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    next_ = order_.size();
  }
  Tensor next() {
    const std::size_t count = std::min(order_.size(), static_cast<std::size_t>(kBatch));
    if (next_ + count > order_.size()) {
      random_.shuffle(std::span(order_));
      next_ = 0;
    }
    const Tensor chosen =
        torch::from_blob(order_.data() + next_, {static_cast<std::int64_t>(count)}, torch::kInt64);
    next_ += count;
    return chosen.clone();
  }

 private:
  Random random_;
  std::vector<std::int64_t> order_;
  std::size_t next_ = 0;
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

  torch::optim::AdamW optimiser(
      network->parameters(), torch::optim::AdamWOptions(kLearningRate).weight_decay(kWeightDecay));
  Batches batches(target.size(0), Random(seed, "neural predictor batches", number));
  for (std::int64_t step = 0; step < kSteps; ++step) {
    const double done = static_cast<double>(step) / static_cast<double>(kSteps);
    for (auto& group : optimiser.param_groups())
      static_cast<torch::optim::AdamWOptions&>(group.options())
          .lr(kLearningRate * 0.5 * (1 + std::cos(std::numbers::pi * done)));
    const Tensor chosen = batches.next();
    const Tensor scores = network->forward(rows_of(input, chosen));
    const Tensor wanted = target.index_select(0, chosen);
    optimiser.zero_grad();
    (loss_ == Loss::pairwise ? pairwise_loss(scores, wanted) : torch::mse_loss(scores, wanted))
        .backward();
    optimiser.step();
  }
  return std::make_unique<Network>(*this, network);
}

std::unique_ptr<FoldEnsemble::Member> NeuralEnsemble::load(
    const std::vector<std::uint8_t>& bytes) const {
  use_one_thread();
  const torch::NoGradGuard no_gradient;
  const auto network = make_network(model_, shape_);
  std::size_t place = 0;
  for (Tensor& parameter : network->parameters()) {
    const std::size_t size = parameter.nbytes();
    if (place + size > bytes.size()) break;
    std::memcpy(parameter.data_ptr<float>(), bytes.data() + place, size);
    place += size;
  }
  std::size_t expected = 0;
  for (const Tensor& parameter : network->parameters()) expected += parameter.nbytes();
  if (bytes.size() != expected)
    throw UserError("the predictor's weights are damaged; train it again");
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
