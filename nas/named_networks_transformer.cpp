// Transformers: BERT-base and GPT-2 small, batch 1.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "nas/named_network_families.h"
#include "nas/transformer_blocks.h"

namespace cosearch::nas {
namespace {

// Both networks are of one size.
constexpr std::int64_t kBlocks = 12, kWidth = 768, kHeads = 12, kHidden = 3072;

AttentionOptions attention_to(std::int64_t context) {
  return {.heads = kHeads, .kv_heads = kHeads, .head_depth = kWidth / kHeads, .context = context};
}

Network bert_base() {
  constexpr std::int64_t kTokens = 128;
  constexpr std::int64_t kVocabulary = 30522, kPositions = 512, kSegments = 2;
  NetworkBuilder builder("bert-base", 1, kTokens, 1);
  Feature feature = embeddings(builder, "embeddings", kTokens, kWidth, 3,
                               (kVocabulary + kPositions + kSegments) * kWidth);
  feature = layer_norm(builder, "embeddings.norm", feature);
  for (std::int64_t i = 0; i < kBlocks; ++i) {
    const std::string name = "block" + std::to_string(i);
    const Feature attended =
        attention(builder, name + ".attention", feature, attention_to(kTokens));
    feature = builder.add(name + ".attention.add", {feature, attended});
    feature = layer_norm(builder, name + ".attention.norm", feature);
    const Feature fed = feed_forward(builder, name + ".feed_forward", feature, kHidden);
    feature = builder.add(name + ".feed_forward.add", {feature, fed});
    feature = layer_norm(builder, name + ".feed_forward.norm", feature);
  }
  // The pooler reads one token only: the first, which costs what the last one does.
  feature = token_linear(builder, "pooler", builder.crop(feature, kTokens - 1, 0), kWidth);
  builder.append("pooler.tanh", elementwise(kWidth, 1, 1, 1), {feature});
  return std::move(builder).finish();
}

/// `rows` new tokens that attend to `context` tokens, themselves included.
Network gpt2_small(const std::string& network_name, std::int64_t rows, std::int64_t context) {
  constexpr std::int64_t kVocabulary = 50257, kPositions = 1024;
  NetworkBuilder builder(network_name, 1, rows, 1);
  // The token table is the head's weight matrix too and is counted there, once.
  Feature feature = embeddings(builder, "embeddings", rows, kWidth, 2, kPositions * kWidth);
  for (std::int64_t i = 0; i < kBlocks; ++i)
    feature = transformer_block(builder, "block" + std::to_string(i), feature,
                                attention_to(context), kHidden);
  feature = layer_norm(builder, "norm", feature);
  token_linear(builder, "head", feature, kVocabulary, Affine::none);
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
