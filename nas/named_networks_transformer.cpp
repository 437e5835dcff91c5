// Transformers: BERT-base and GPT-2 small, batch 1.
//
// Assumes: queries, keys and values are three products (GPT-2's released code stores them as one of
// three times the width: the same multiplications and weights), so that each tensor has a producer.
// Assumes: scaling by 1/sqrt(depth) and masking are part of the softmax; splitting into heads only
// changes addresses. Attention is counted in full: the causal mask of GPT-2 saves nothing here, as
// in dense kernels and in the published counts.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "nas/blocks.h"
#include "nas/named_network_families.h"

namespace cosearch::nas {
namespace {

// Both networks are of one size.
constexpr std::int64_t kBlocks = 12, kWidth = 768, kHeads = 12, kHidden = 3072;

/// Tokens are rows: a Feature of `width` channels, one row per token, one column.
Feature tokens(std::int64_t rows, std::int64_t width, const Feature& held) {
  return {width, rows, 1, held.step};
}

Feature linear(NetworkBuilder& builder, const std::string& name, const Feature& from,
               std::int64_t out_features, Affine affine = Affine::bias) {
  return builder.append(name, gemm(from.height, out_features, from.channels), {from},
                        affine == Affine::bias ? out_features : 0);
}

Feature layer_norm(NetworkBuilder& builder, const std::string& name, const Feature& from) {
  const Feature normalised =
      builder.append(name, normalisation(from.height, from.channels), {from}, 2 * from.channels);
  return tokens(from.height, from.channels, normalised);
}

Feature activation(NetworkBuilder& builder, const std::string& name, const Feature& from) {
  return builder.append(name, elementwise(from.channels, from.height, 1, 1), {from});
}

/// `context`: tokens attended to; where they are more than the rows of `from`, the others' keys and
/// values come from a cache in memory.
Feature attention(NetworkBuilder& builder, const std::string& name, const Feature& from,
                  std::int64_t context) {
  const std::int64_t rows = from.height, depth = kWidth / kHeads;
  const Feature query = linear(builder, name + ".query", from, kWidth);
  const Feature key = linear(builder, name + ".key", from, kWidth);
  const Feature value = linear(builder, name + ".value", from, kWidth);
  const Feature scores = builder.append(
      name + ".scores", gemm(rows, context, depth, kHeads, /*weights_are_activations=*/true),
      {query, key});
  const Feature shares =
      builder.append(name + ".softmax", softmax(kHeads * rows, context), {scores});
  const Feature mixed = builder.append(
      name + ".mix", gemm(rows, depth, context, kHeads, /*weights_are_activations=*/true),
      {shares, value});
  return linear(builder, name + ".output", tokens(rows, kWidth, mixed), kWidth);
}

Feature feed_forward(NetworkBuilder& builder, const std::string& name, const Feature& from) {
  const Feature hidden = linear(builder, name + ".expand", from, kHidden);
  const Feature activated = activation(builder, name + ".gelu", hidden);
  return linear(builder, name + ".project", activated, kWidth);
}

/// Sums a row of each of `tables` tables for every token; `parameters`: of the tables held here.
Feature embeddings(NetworkBuilder& builder, std::int64_t rows, std::int64_t tables,
                   std::int64_t parameters) {
  const Feature sum =
      builder.append("embeddings", elementwise(kWidth, rows, 1, tables), {}, parameters);
  return tokens(rows, kWidth, sum);
}

Network bert_base() {
  constexpr std::int64_t kTokens = 128;
  constexpr std::int64_t kVocabulary = 30522, kPositions = 512, kSegments = 2;
  NetworkBuilder builder("bert-base", 1, kTokens, 1);
  Feature feature =
      embeddings(builder, kTokens, 3, (kVocabulary + kPositions + kSegments) * kWidth);
  feature = layer_norm(builder, "embeddings.norm", feature);
  for (std::int64_t i = 0; i < kBlocks; ++i) {
    const std::string name = "block" + std::to_string(i);
    const Feature attended = attention(builder, name + ".attention", feature, kTokens);
    feature = builder.add(name + ".attention.add", {feature, attended});
    feature = layer_norm(builder, name + ".attention.norm", feature);
    const Feature fed = feed_forward(builder, name + ".feed_forward", feature);
    feature = builder.add(name + ".feed_forward.add", {feature, fed});
    feature = layer_norm(builder, name + ".feed_forward.norm", feature);
  }
  // The pooler reads the first token only.
  feature = linear(builder, "pooler", tokens(1, kWidth, feature), kWidth);
  activation(builder, "pooler.tanh", feature);
  return std::move(builder).finish();
}

/// `rows` new tokens that attend to `context` tokens, themselves included.
Network gpt2_small(const std::string& network_name, std::int64_t rows, std::int64_t context) {
  constexpr std::int64_t kVocabulary = 50257, kPositions = 1024;
  NetworkBuilder builder(network_name, 1, rows, 1);
  // The token table is the head's weight matrix too and is counted there, once.
  Feature feature = embeddings(builder, rows, 2, kPositions * kWidth);
  for (std::int64_t i = 0; i < kBlocks; ++i) {
    const std::string name = "block" + std::to_string(i);
    const Feature normalised = layer_norm(builder, name + ".attention.norm", feature);
    const Feature attended = attention(builder, name + ".attention", normalised, context);
    feature = builder.add(name + ".attention.add", {feature, attended});
    const Feature normalised_again = layer_norm(builder, name + ".feed_forward.norm", feature);
    const Feature fed = feed_forward(builder, name + ".feed_forward", normalised_again);
    feature = builder.add(name + ".feed_forward.add", {feature, fed});
  }
  feature = layer_norm(builder, "norm", feature);
  linear(builder, "head", feature, kVocabulary, Affine::none);
  return std::move(builder).finish();
}

}  // namespace

std::vector<NamedNetwork> transformer_networks() {
  return {
      {"bert-base",
       "J. Devlin et al., BERT, NAACL 2019, with pooler, sequence of 128; Hugging Face "
       "bert-base-uncased: 109,482,240 parameters; calflops: 11.174 GMACs",
       bert_base},
      {"gpt2-small",
       "A. Radford et al., Language models are unsupervised multitask learners, 2019; prefill of "
       "1024 tokens, a prediction for each; Hugging Face gpt2: 124,439,808 parameters; nanoGPT "
       "transformer_sizing: 145.8 GMACs",
       [] { return gpt2_small("gpt2-small", 1024, 1024); }},
      {"gpt2-small-decode",
       "GPT-2 small, one token with the keys and values of 1023 before it in a cache; 1/1024 of "
       "the multiply-accumulates of the prefill, 142.4 MMACs",
       [] { return gpt2_small("gpt2-small-decode", 1, 1024); }},
  };
}

}  // namespace cosearch::nas
