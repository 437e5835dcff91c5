#include "nas/transformer_blocks.h"

namespace cosearch::nas {

Feature tokens(std::int64_t rows, std::int64_t width, const Feature& held) {
  return {width, rows, 1, held.step};
}

Feature token_linear(NetworkBuilder& builder, const std::string& name, const Feature& from,
                     std::int64_t out_features, Affine affine) {
  return builder.append(name, gemm(from.height, out_features, from.channels), {from},
                        affine == Affine::bias ? out_features : 0);
}

Feature layer_norm(NetworkBuilder& builder, const std::string& name, const Feature& from) {
  const Feature normalised =
      builder.append(name, normalisation(from.height, from.channels), {from}, 2 * from.channels);
  return tokens(from.height, from.channels, normalised);
}

Feature token_activation(NetworkBuilder& builder, const std::string& name, const Feature& from) {
  return builder.append(name, elementwise(from.channels, from.height, 1, 1), {from});
}

Feature embeddings(NetworkBuilder& builder, const std::string& name, std::int64_t rows,
                   std::int64_t width, std::int64_t tables, std::int64_t parameters) {
  return tokens(rows, width,
                builder.append(name, elementwise(width, rows, 1, tables), {}, parameters));
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
  const Feature scores = builder.append(name + ".scores", attention_scores(shape), {query, key});
  const Feature shares =
      builder.append(name + ".softmax", softmax(options.heads * rows, options.context), {scores});
  const Feature mixed = builder.append(name + ".mix", attention_values(shape), {shares, value});
  return token_linear(builder, name + ".output", tokens(rows, width, mixed), from.channels);
}

Feature feed_forward(NetworkBuilder& builder, const std::string& name, const Feature& from,
                     std::int64_t hidden) {
  const Feature expanded = token_linear(builder, name + ".expand", from, hidden);
  const Feature activated = token_activation(builder, name + ".gelu", expanded);
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
