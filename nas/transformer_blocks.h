// The building blocks of transformers. Tokens are rows: a Feature as wide in channels as a token,
// one row per token, one column.
//
// Assumes: queries, keys and values are three products (GPT-2's released code stores them as one of
// three times the width: the same multiplications and weights), so that each tensor has a producer.
// Assumes: scaling by 1/sqrt(depth) and masking cost nothing beside products and softmax; splitting
// into heads only changes addresses. Attention is counted in full: a causal mask saves nothing
// here, as in dense kernels and in the published counts.
#pragma once

#include <cstdint>
#include <string>

#include "nas/blocks.h"

namespace cosearch::nas {

/// The positions of a map as tokens, row by row. Costs nothing.
[[nodiscard]] Feature tokens(NetworkBuilder& builder, const Feature& map);

/// The same product for every token.
Feature token_linear(NetworkBuilder& builder, const std::string& name, const Feature& from,
                     std::int64_t out_features, Affine affine = Affine::bias);

/// Over each token, with scale and shift.
Feature layer_norm(NetworkBuilder& builder, const std::string& name, const Feature& from);

/// GELU, which is not fused into the product before it: a layer of its own.
Feature gelu(NetworkBuilder& builder, const std::string& name, const Feature& from);

/// Adds a learnt position to each token, and before that `learnt` tokens behind those of `from`.
Feature embed_positions(NetworkBuilder& builder, const std::string& name, const Feature& from,
                        std::int64_t learnt = 0);

/// The network's input, one whole number for each of its rows, as tokens of `width`, with a learnt
/// position added to each. The table of tokens is the weights of the network's last step, a
/// token_linear without bias of as many features as there are tokens: it is counted there, once.
Feature embed_tokens(NetworkBuilder& builder, const std::string& name, std::int64_t width);

/// Known by its cost only: sums a row of each of `tables` tables for each of `rows` tokens;
/// `parameters`: of the tables held here.
Feature embeddings(NetworkBuilder& builder, const std::string& name, std::int64_t rows,
                   std::int64_t width, std::int64_t tables, std::int64_t parameters);

struct AttentionOptions {
  std::int64_t heads = 1;
  /// Heads of keys and values, each shared by heads / kv_heads queries; divides `heads`.
  std::int64_t kv_heads = 1;
  std::int64_t head_depth = 1;
  /// Tokens attended to; where they are more than the rows that come in, the others' keys and
  /// values come from a cache in memory, and the layer is known by its cost only.
  std::int64_t context = 1;
  /// Each token attends to itself and those before it only.
  bool is_causal = false;
};

/// Projections with bias around attention; as wide as what comes in.
/// Source: A. Vaswani et al., "Attention is all you need", NIPS 2017; J. Ainslie et al., "GQA",
/// EMNLP 2023 (shared keys and values).
Feature attention(NetworkBuilder& builder, const std::string& name, const Feature& from,
                  const AttentionOptions& options);

/// Two products with GELU between them; as wide as what comes in.
Feature feed_forward(NetworkBuilder& builder, const std::string& name, const Feature& from,
                     std::int64_t hidden);

/// Attention and feed-forward, each normalised before and added to what came in.
Feature transformer_block(NetworkBuilder& builder, const std::string& name, const Feature& from,
                          const AttentionOptions& options, std::int64_t hidden);

}  // namespace cosearch::nas
