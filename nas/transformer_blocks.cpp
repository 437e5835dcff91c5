#include "nas/transformer_blocks.h"

namespace cosearch::nas {

Feature tokens(NetworkBuilder& builder, const Feature& map) {
  return builder.append(
      {.operation = Operation::tokens, .shape = {map.channels, map.height * map.width, 1}}, {map});
}

Feature token_linear(NetworkBuilder& builder, const std::string& name, const Feature& from,
                     std::int64_t out_features, Affine affine) {
  return builder.append({.name = name,
                         .operation = Operation::token_linear,
                         .shape = {out_features, from.height, 1},
                         .layer = gemm(from.height, out_features, from.channels),
                         .affine = affine},
                        {from});
}

Feature layer_norm(NetworkBuilder& builder, const std::string& name, const Feature& from) {
  return builder.append({.name = name,
                         .operation = Operation::normalise,
                         .shape = {from.channels, from.height, 1},
                         .layer = normalisation(from.height, from.channels),
                         .affine = Affine::layer_norm},
                        {from});
}

Feature gelu(NetworkBuilder& builder, const std::string& name, const Feature& from) {
  return builder.append({.name = name,
                         .operation = Operation::activate,
                         .shape = {from.channels, from.height, 1},
                         .layer = elementwise(from.channels, from.height, 1, 1),
                         .activation = Activation::gelu},
                        {from});
}

Feature embed_positions(NetworkBuilder& builder, const std::string& name, const Feature& from,
                        std::int64_t learnt) {
  const std::int64_t rows = from.height + learnt;
  return builder.append({.name = name,
                         .operation = Operation::embed_positions,
                         .shape = {from.channels, rows, 1},
                         .layer = elementwise(from.channels, rows, 1, 2),
                         .further_parameters = (rows + learnt) * from.channels},
                        {from});
}

Feature embed_tokens(NetworkBuilder& builder, const std::string& name, std::int64_t width) {
  const Feature& ids = builder.input();
  return builder.append({.name = name,
                         .operation = Operation::embed_tokens,
                         .shape = {width, ids.height, 1},
                         .layer = elementwise(width, ids.height, 1, 2),
                         .further_parameters = ids.height * width},
                        {ids});
}

Feature embeddings(NetworkBuilder& builder, const std::string& name, std::int64_t rows,
                   std::int64_t width, std::int64_t tables, std::int64_t parameters) {
  return builder.append(name, elementwise(width, rows, 1, tables), {}, parameters);
}

Feature attention(NetworkBuilder& builder, const std::string& name, const Feature& from,
                  const AttentionOptions& options) {
  const std::int64_t rows = from.height, width = options.heads * options.head_depth;
  const std::int64_t kv_width = options.kv_heads * options.head_depth;
  const AttentionShape shape{.rows = rows,
                             .context = options.context,
                             .head_depth = options.head_depth,
                             .heads = options.heads,
                             .kv_heads = options.kv_heads};
  const Feature query = token_linear(builder, name + ".query", from, width);
  const Feature key = token_linear(builder, name + ".key", from, kv_width);
  const Feature value = token_linear(builder, name + ".value", from, kv_width);
  // Of scores and shares: a row per query and head, a column per key.
  const FeatureShape table{options.heads * rows, options.context, 1};
  const bool has_cache = options.context != rows;
  const Feature scores =
      builder.append({.name = name + ".scores",
                      .operation = has_cache ? Operation::opaque : Operation::attention_scores,
                      .shape = table,
                      .layer = attention_scores(shape)},
                     {query, key});
  const Feature shares = builder.append(
      {.name = name + ".softmax",
       .operation = options.is_causal ? Operation::causal_softmax : Operation::softmax,
       .shape = table,
       .layer = softmax(options.heads * rows, options.context)},
      {scores});
  const Feature mixed = builder.append({.name = name + ".mix",
                                        .operation = Operation::attention_values,
                                        .shape = {width, rows, 1},
                                        .layer = attention_values(shape)},
                                       {shares, value});
  return token_linear(builder, name + ".output", mixed, from.channels);
}

Feature feed_forward(NetworkBuilder& builder, const std::string& name, const Feature& from,
                     std::int64_t hidden) {
  const Feature expanded = token_linear(builder, name + ".expand", from, hidden);
  const Feature activated = gelu(builder, name + ".gelu", expanded);
  return token_linear(builder, name + ".project", activated, from.channels);
}

Feature transformer_block(NetworkBuilder& builder, const std::string& name, const Feature& from,
                          const AttentionOptions& options, std::int64_t hidden) {
  const Feature normalised = layer_norm(builder, name + ".attention.norm", from);
  const Feature attended = attention(builder, name + ".attention", normalised, options);
  const Feature mixed = builder.add(name + ".attention.add", {from, attended});
  const Feature normalised_again = layer_norm(builder, name + ".feed_forward.norm", mixed);
  const Feature fed = feed_forward(builder, name + ".feed_forward", normalised_again, hidden);
  return builder.add(name + ".feed_forward.add", {mixed, fed});
}

}  // namespace cosearch::nas
