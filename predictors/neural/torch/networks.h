// The neural networks that predict: from features, or from a graph with the features of the whole
// beside it, to one number for each example.
//
// Sources: graph convolutions in both directions, W. Wen et al., "Neural predictor for neural
// architecture search", ECCV 2020, section 3.2; attention over neighbours (GATv2), S. Brody, U.
// Alon, E. Yahav, "How attentive are graph attention networks?", ICLR 2022, eq. 7; the encoder,
// A. Vaswani et al., "Attention is all you need", NIPS 2017, section 3.1, here normalised before
// each part, with a bias on the attention along edges as in C. Ying et al., "Do transformers really
// perform badly for graph representation?", NeurIPS 2021, section 3.1.2.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>

namespace cosearch::predictors {

struct NetworkInput {
  torch::Tensor features;    ///< rows x columns, standardised; zero columns where there are none
  torch::Tensor operations;  ///< rows x vertices x kinds, one-hot; a vertex that is padding is zero
  torch::Tensor edges;       ///< rows x vertices x vertices, 1 from row to column
  torch::Tensor is_vertex;   ///< rows x vertices, 1 or 0
};

struct NetworkShape {
  std::int64_t features = 0;
  std::int64_t operation_kinds = 0;
};

class ScoringNetwork : public torch::nn::Module {
 public:
  /// rows.
  virtual torch::Tensor forward(const NetworkInput& input) = 0;
};

/// "mlp", "gcn", "gat" or "transformer"; null for another name.
[[nodiscard]] std::shared_ptr<ScoringNetwork> make_network(const std::string& model,
                                                           const NetworkShape& shape);
[[nodiscard]] bool reads_graphs(const std::string& model);

}  // namespace cosearch::predictors
