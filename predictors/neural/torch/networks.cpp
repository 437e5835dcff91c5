#include "predictors/neural/torch/networks.h"

#include <cmath>

namespace cosearch::predictors {
namespace {

using torch::Tensor;
using torch::nn::LayerNorm;
using torch::nn::LayerNormOptions;
using torch::nn::Linear;

// Widths that a few hundred examples can still fill.
constexpr std::int64_t kHidden = 64, kHeads = 4, kLayers = 3, kMostVertices = 64;

// From what describes the whole to one number.
class Head : public torch::nn::Module {
 public:
  explicit Head(std::int64_t inputs)
      : first_(register_module("first", Linear(inputs, kHidden))),
        second_(register_module("second", Linear(kHidden, 1))) {}
  Tensor forward(const Tensor& x) { return second_(torch::relu(first_(x))).squeeze(-1); }

 private:
  Linear first_, second_;
};

class Perceptron final : public ScoringNetwork {
 public:
  explicit Perceptron(const NetworkShape& shape)
      : first_(register_module("first", Linear(shape.features, kHidden))),
        second_(register_module("second", Linear(kHidden, kHidden))),
        head_(register_module("head", std::make_shared<Head>(kHidden))) {}
  Tensor forward(const NetworkInput& input) override {
    return head_->forward(torch::relu(second_(torch::relu(first_(input.features)))));
  }

 private:
  Linear first_, second_;
  std::shared_ptr<Head> head_;
};

// Mean over the vertices that are there, then the features of the whole.
Tensor read_out(const Tensor& vertices, const NetworkInput& input) {
  const Tensor mask = input.is_vertex.unsqueeze(-1);
  const Tensor mean = (vertices * mask).sum(1) / mask.sum(1).clamp_min(1);
  return torch::cat({mean, input.features}, 1);
}

// Every vertex its own neighbour; padding too, which harms nobody.
Tensor with_loops(const Tensor& edges) {
  return edges + torch::eye(edges.size(-1), edges.options()).unsqueeze(0);
}

class ConvolutionLayer : public torch::nn::Module {
 public:
  explicit ConvolutionLayer(std::int64_t inputs)
      : along_(register_module("along", Linear(inputs, kHidden))),
        against_(register_module("against", Linear(inputs, kHidden))) {}
  Tensor forward(const Tensor& x, const Tensor& edges) {
    return 0.5 * (gather(edges.transpose(1, 2), along_(x)) + gather(edges, against_(x)));
  }

 private:
  static Tensor gather(const Tensor& edges, const Tensor& x) {
    const Tensor weights = with_loops(edges);
    return torch::relu(torch::matmul(weights / weights.sum(-1, true), x));
  }
  Linear along_, against_;
};

class AttentionLayer : public torch::nn::Module {
 public:
  explicit AttentionLayer(std::int64_t inputs)
      : along_(register_module("along", std::make_shared<Direction>(inputs))),
        against_(register_module("against", std::make_shared<Direction>(inputs))) {}
  Tensor forward(const Tensor& x, const Tensor& edges) {
    return 0.5 * (along_->forward(x, edges.transpose(1, 2)) + against_->forward(x, edges));
  }

 private:
  // Over the neighbours that each row of `edges` names.
  class Direction : public torch::nn::Module {
   public:
    explicit Direction(std::int64_t inputs)
        : from_(register_module("from", Linear(inputs, kHidden))),
          to_(register_module("to", Linear(inputs, kHidden))),
          score_(register_parameter("score", torch::zeros({kHeads, kHidden / kHeads}))) {}
    Tensor forward(const Tensor& x, const Tensor& edges) {
      const std::int64_t rows = x.size(0), vertices = x.size(1);
      const auto heads = [&](const Tensor& y) {
        return y.view({rows, vertices, kHeads, kHidden / kHeads});
      };
      const Tensor from = heads(from_(x)), to = heads(to_(x));
      const Tensor pairs =
          torch::leaky_relu(to.unsqueeze(2) + from.unsqueeze(1), /*negative_slope=*/0.2);
      const Tensor score =
          (pairs * score_).sum(-1).masked_fill(with_loops(edges).unsqueeze(-1) == 0, -INFINITY);
      const Tensor share = torch::softmax(score, 2);
      return torch::relu(
          (share.unsqueeze(-1) * from.unsqueeze(1)).sum(2).reshape({rows, vertices, kHidden}));
    }

   private:
    Linear from_, to_;
    Tensor score_;
  };
  std::shared_ptr<Direction> along_, against_;
};

template <class Layer>
class GraphNetwork final : public ScoringNetwork {
 public:
  explicit GraphNetwork(const NetworkShape& shape)
      : head_(register_module("head", std::make_shared<Head>(kHidden + shape.features))) {
    for (std::int64_t i = 0; i < kLayers; ++i)
      layers_.push_back(
          register_module("layer" + std::to_string(i),
                          std::make_shared<Layer>(i == 0 ? shape.operation_kinds : kHidden)));
  }
  Tensor forward(const NetworkInput& input) override {
    Tensor x = input.operations;
    for (const auto& layer : layers_) x = layer->forward(x, input.edges);
    return head_->forward(read_out(x, input));
  }

 private:
  std::shared_ptr<Head> head_;
  std::vector<std::shared_ptr<Layer>> layers_;
};

class EncoderLayer : public torch::nn::Module {
 public:
  EncoderLayer()
      : before_attention_(register_module("before_attention", norm())),
        before_perceptron_(register_module("before_perceptron", norm())),
        query_key_value_(register_module("query_key_value", Linear(kHidden, 3 * kHidden))),
        out_(register_module("out", Linear(kHidden, kHidden))),
        first_(register_module("first", Linear(kHidden, 2 * kHidden))),
        second_(register_module("second", Linear(2 * kHidden, kHidden))),
        edge_bias_(register_parameter("edge_bias", torch::zeros({2, kHeads}))) {}

  Tensor forward(const Tensor& x, const NetworkInput& input) {
    const Tensor attended = x + attention(before_attention_(x), input);
    return attended + second_(torch::relu(first_(before_perceptron_(attended))));
  }

 private:
  static LayerNorm norm() { return LayerNorm(LayerNormOptions({kHidden})); }

  Tensor attention(const Tensor& x, const NetworkInput& input) {
    const std::int64_t rows = x.size(0), vertices = x.size(1), width = kHidden / kHeads;
    const Tensor parts =
        query_key_value_(x).view({rows, vertices, 3, kHeads, width}).permute({2, 0, 3, 1, 4});
    Tensor score =
        torch::matmul(parts[0], parts[1].transpose(-1, -2)) / std::sqrt(static_cast<double>(width));
    const auto biased = [&](const Tensor& edges, std::int64_t direction) {
      return edges.unsqueeze(1) * edge_bias_[direction].view({1, kHeads, 1, 1});
    };
    score = score + biased(input.edges, 0) + biased(input.edges.transpose(1, 2), 1);
    score = score.masked_fill(input.is_vertex.view({rows, 1, 1, vertices}) == 0, -INFINITY);
    const Tensor mixed = torch::matmul(torch::softmax(score, -1), parts[2]);
    return out_(mixed.transpose(1, 2).reshape({rows, vertices, kHidden}));
  }

  LayerNorm before_attention_, before_perceptron_;
  Linear query_key_value_, out_, first_, second_;
  Tensor edge_bias_;
};

class Transformer final : public ScoringNetwork {
 public:
  explicit Transformer(const NetworkShape& shape)
      : operation_(register_module("operation", Linear(shape.operation_kinds, kHidden))),
        place_(register_parameter("place", torch::zeros({kMostVertices, kHidden}))),
        head_(register_module("head", std::make_shared<Head>(kHidden + shape.features))) {
    for (std::int64_t i = 0; i < kLayers; ++i)
      layers_.push_back(
          register_module("layer" + std::to_string(i), std::make_shared<EncoderLayer>()));
  }
  Tensor forward(const NetworkInput& input) override {
    const std::int64_t vertices = input.operations.size(1);
    Tensor x = operation_(input.operations) + place_.slice(0, 0, vertices).unsqueeze(0);
    for (const auto& layer : layers_) x = layer->forward(x, input);
    return head_->forward(read_out(x, input));
  }

 private:
  Linear operation_;
  Tensor place_;  // of a vertex in topological order
  std::shared_ptr<Head> head_;
  std::vector<std::shared_ptr<EncoderLayer>> layers_;
};

}  // namespace

std::shared_ptr<ScoringNetwork> make_network(const std::string& model, const NetworkShape& shape) {
  if (model == "mlp") return std::make_shared<Perceptron>(shape);
  if (model == "gcn") return std::make_shared<GraphNetwork<ConvolutionLayer>>(shape);
  if (model == "gat") return std::make_shared<GraphNetwork<AttentionLayer>>(shape);
  if (model == "transformer") return std::make_shared<Transformer>(shape);
  return nullptr;
}

bool reads_graphs(const std::string& model) { return model != "mlp"; }

}  // namespace cosearch::predictors
