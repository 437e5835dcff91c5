// What transformers compute on tokens. Tensors of tokens are count x width x tokens x 1, as all
// outputs of steps are.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace cosearch::nas {

/// Learnt tokens and positions, which begin as zeros.
class TokenEmbeddingImpl : public torch::nn::Module {
 public:
  /// `tokens`: all there are in the end, of which `learnt` are its own.
  TokenEmbeddingImpl(std::int64_t width, std::int64_t tokens, std::int64_t learnt);

  /// Its own tokens behind those of `input`, and to each its position added.
  torch::Tensor forward(const torch::Tensor& input);

  torch::Tensor positions;  ///< width x tokens
  torch::Tensor learnt;     ///< width x tokens of its own; undefined where it has none
};
TORCH_MODULE(TokenEmbedding);

/// `ids`, count x 1 x tokens x 1, as the rows of `table` (tokens there are x width) of these
/// numbers. Throws c10::Error for numbers that are no rows.
[[nodiscard]] torch::Tensor rows_of(const torch::Tensor& table, const torch::Tensor& ids);

[[nodiscard]] torch::Tensor token_linear(torch::nn::Linear& linear, const torch::Tensor& input);
[[nodiscard]] torch::Tensor layer_norm(torch::nn::LayerNorm& norm, const torch::Tensor& input);

/// Each query's product with each key of its head, over the root of their depth: count x
/// (heads * queries) x keys x 1. Heads of queries that share one of keys lie side by side.
[[nodiscard]] torch::Tensor attention_scores(const torch::Tensor& query, const torch::Tensor& key,
                                             std::int64_t kv_heads);
/// The softmax of each row. `is_causal`: a query has no share of later keys than its own.
[[nodiscard]] torch::Tensor attention_shares(const torch::Tensor& scores, bool is_causal);
/// The values mixed by those shares: count x (heads * depth) x queries x 1.
[[nodiscard]] torch::Tensor attention_values(const torch::Tensor& shares,
                                             const torch::Tensor& value, std::int64_t kv_heads);

}  // namespace cosearch::nas
