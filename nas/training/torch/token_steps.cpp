#include "nas/training/torch/token_steps.h"

#include <cmath>
#include <limits>

namespace cosearch::nas {
namespace {

/// count x tokens x width.
torch::Tensor rows_first(const torch::Tensor& tokens) { return tokens.squeeze(3).transpose(1, 2); }
torch::Tensor width_first(const torch::Tensor& tokens) {
  return tokens.transpose(1, 2).unsqueeze(3);
}

/// Channels, split into `groups`: count x groups x tokens x (channels of a group).
torch::Tensor by_group(const torch::Tensor& tokens, std::int64_t groups) {
  return tokens.reshape({tokens.size(0), groups, tokens.size(1) / groups, tokens.size(2)})
      .transpose(2, 3);
}

}  // namespace

TokenEmbeddingImpl::TokenEmbeddingImpl(std::int64_t width, std::int64_t tokens,
                                       std::int64_t learnt_tokens)
    : positions(register_parameter("positions", torch::zeros({width, tokens}))) {
  if (learnt_tokens > 0)
    learnt = register_parameter("learnt", torch::zeros({width, learnt_tokens}));
}

torch::Tensor TokenEmbeddingImpl::forward(const torch::Tensor& input) {
  const auto placed = [](const torch::Tensor& numbers) {
    return numbers.unsqueeze(0).unsqueeze(3);
  };
  if (!learnt.defined()) return input + placed(positions);
  const torch::Tensor own = placed(learnt).expand({input.size(0), -1, -1, -1});
  return torch::cat({input, own}, 2) + placed(positions);
}

torch::Tensor rows_of(const torch::Tensor& table, const torch::Tensor& ids) {
  return width_first(torch::embedding(table, ids.flatten(1).to(torch::kInt64)));
}

torch::Tensor token_linear(torch::nn::Linear& linear, const torch::Tensor& input) {
  return width_first(linear->forward(rows_first(input)));
}

torch::Tensor layer_norm(torch::nn::LayerNorm& norm, const torch::Tensor& input) {
  return width_first(norm->forward(rows_first(input)));
}

torch::Tensor attention_scores(const torch::Tensor& query, const torch::Tensor& key,
                               std::int64_t kv_heads) {
  const torch::Tensor keys = by_group(key, kv_heads);
  const std::int64_t depth = keys.size(3), heads = query.size(1) / depth;
  // The queries of all heads that share keys, below each other.
  const torch::Tensor queries =
      by_group(query, heads).reshape({query.size(0), kv_heads, -1, depth});
  const torch::Tensor scores =
      torch::matmul(queries, keys.transpose(2, 3)) / std::sqrt(static_cast<double>(depth));
  return scores.flatten(1, 2).unsqueeze(3);
}

torch::Tensor attention_shares(const torch::Tensor& scores, bool is_causal) {
  if (!is_causal) return scores.softmax(2);
  const std::int64_t tokens = scores.size(2);
  const torch::Tensor is_later =
      torch::ones({tokens, tokens}, scores.options().dtype(torch::kBool)).triu(1);
  return scores.reshape({scores.size(0), -1, tokens, tokens})
      .masked_fill(is_later, -std::numeric_limits<double>::infinity())
      .softmax(3)
      .flatten(1, 2)
      .unsqueeze(3);
}

torch::Tensor attention_values(const torch::Tensor& shares, const torch::Tensor& value,
                               std::int64_t kv_heads) {
  const torch::Tensor values = by_group(value, kv_heads);
  const std::int64_t count = value.size(0), tokens = value.size(2), depth = values.size(3);
  const torch::Tensor mixed = torch::matmul(shares.reshape({count, kv_heads, -1, tokens}), values);
  // A row per query and head, to the channels of all heads of a query.
  return mixed.reshape({count, -1, tokens, depth}).transpose(2, 3).flatten(1, 2).unsqueeze(3);
}

}  // namespace cosearch::nas
