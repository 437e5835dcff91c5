#include "nas/training/torch/token_steps.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/user_error.h"
#include "nas/blocks.h"
#include "nas/space.h"
#include "nas/training/torch/blueprint_network.h"
#include "nas/transformer_blocks.h"
#include "tests/support/message_of.h"

namespace cosearch::nas {
namespace {

struct Heads {
  std::int64_t queries = 1, keys = 1, depth = 1;
};

/// Attention as its paper defines it (A. Vaswani et al., NIPS 2017, equation 1), number by number.
/// Query, key and value: tokens x channels, a head's channels together.
torch::Tensor attention_by_hand(const torch::Tensor& query, const torch::Tensor& key,
                                const torch::Tensor& value, const Heads& heads, bool is_causal) {
  const std::int64_t tokens = query.size(0);
  torch::Tensor output = torch::zeros({tokens, heads.queries * heads.depth}, torch::kFloat64);
  const auto at = [](const torch::Tensor& numbers, std::int64_t row, std::int64_t column) {
    return numbers[row][column].item<double>();
  };
  for (std::int64_t h = 0; h < heads.queries; ++h) {
    const std::int64_t first = h * heads.depth,
                       first_key = h / (heads.queries / heads.keys) * heads.depth;
    for (std::int64_t i = 0; i < tokens; ++i) {
      const std::int64_t seen = is_causal ? i + 1 : tokens;
      std::vector<double> weights;
      double sum = 0;
      for (std::int64_t j = 0; j < seen; ++j) {
        double score = 0;
        for (std::int64_t d = 0; d < heads.depth; ++d)
          score += at(query, i, first + d) * at(key, j, first_key + d);
        weights.push_back(std::exp(score / std::sqrt(static_cast<double>(heads.depth))));
        sum += weights.back();
      }
      for (std::int64_t j = 0; j < seen; ++j)
        for (std::int64_t d = 0; d < heads.depth; ++d)
          output[i][first + d] +=
              weights[static_cast<std::size_t>(j)] / sum * at(value, j, first_key + d);
    }
  }
  return output;
}

/// Tokens x channels as steps hold them: 1 x channels x tokens x 1.
torch::Tensor as_step(const torch::Tensor& tokens) { return tokens.t().unsqueeze(0).unsqueeze(3); }

TEST(TokenSteps, AttendAsThePaperDefinesIt) {
  torch::manual_seed(1);
  constexpr std::int64_t kTokens = 5;
  for (const auto& heads : {Heads{1, 1, 4}, Heads{3, 3, 2}, Heads{4, 2, 3}, Heads{6, 1, 2}})
    for (const bool is_causal : {false, true}) {
      SCOPED_TRACE(std::to_string(heads.queries) + " heads, causal " + std::to_string(is_causal));
      const auto draw = [&](std::int64_t count) {
        return torch::randn({kTokens, count * heads.depth}, torch::kFloat64);
      };
      const torch::Tensor query = draw(heads.queries), key = draw(heads.keys),
                          value = draw(heads.keys);
      const torch::Tensor scores = attention_scores(as_step(query), as_step(key), heads.keys);
      ASSERT_EQ(scores.sizes(),
                (std::vector<std::int64_t>{1, heads.queries * kTokens, kTokens, 1}));
      const torch::Tensor shares = attention_shares(scores, is_causal);
      EXPECT_TRUE(torch::allclose(shares.sum(2), torch::ones_like(shares.sum(2))));
      const torch::Tensor mixed = attention_values(shares, as_step(value), heads.keys);
      EXPECT_TRUE(torch::allclose(
          mixed, as_step(attention_by_hand(query, key, value, heads, is_causal)), 1e-9, 1e-12));
    }
}

TEST(TokenSteps, AttendInABatchAsOneByOne) {
  torch::manual_seed(2);
  const torch::Tensor query = torch::randn({3, 8, 4, 1}), key = torch::randn({3, 4, 4, 1}),
                      value = torch::randn({3, 4, 4, 1});
  const auto attend = [](const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v) {
    return attention_values(attention_shares(attention_scores(q, k, 2), true), v, 2);
  };
  const torch::Tensor together = attend(query, key, value);
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto one = [i](const torch::Tensor& all) { return all.slice(0, i, i + 1); };
    EXPECT_TRUE(
        torch::allclose(one(together), attend(one(query), one(key), one(value)), 1e-5, 1e-6));
  }
}

TEST(TokenSteps, PutLearntTokensBehindAndAPositionOnEach) {
  TokenEmbedding embedding(/*width=*/2, /*tokens=*/3, /*learnt=*/1);
  const torch::NoGradGuard no_gradient;
  embedding->positions.copy_(torch::tensor({{10, 20, 30}, {40, 50, 60}}));
  embedding->learnt.copy_(torch::tensor({{7}, {8}}));
  const torch::Tensor read = torch::tensor({{1.F, 2.F}, {3.F, 4.F}}).view({1, 2, 2, 1});
  EXPECT_TRUE(torch::equal(embedding->forward(read).view({2, 3}),
                           torch::tensor({{11.F, 22.F, 37.F}, {43.F, 54.F, 68.F}})));
}

/// The tokens of a map, normalised: 2 x 2 channels of 2 x 3 pixels.
TEST(TokenSteps, AreRowsOfAMapNormalisedEachByItself) {
  NetworkBuilder builder("net", 4, 2, 3);
  layer_norm(builder, "norm", tokens(builder, builder.input()));
  BlueprintNetwork network(std::move(builder).blueprint());
  const torch::Tensor images = torch::randn({2, 4, 2, 3});
  const torch::Tensor normal = network.forward(images).view({2, 4, 6});
  for (std::int64_t i = 0; i < 2; ++i)
    for (std::int64_t pixel = 0; pixel < 6; ++pixel) {
      const torch::Tensor token = images[i].select(1, pixel / 3).select(1, pixel % 3);
      const torch::Tensor centred = token - token.mean();
      EXPECT_TRUE(torch::allclose(normal[i].select(1, pixel),
                                  centred / (centred.square().mean() + 1e-5).sqrt(), 1e-4, 1e-5));
    }
  network.switch_normalisation_off(true);
  EXPECT_TRUE(torch::equal(network.forward(images), images.flatten(1)));
}

TEST(TokenSteps, ReadTheRowsOfTheLastLayersWeights) {
  const auto space = make_space("gpt", {{"tokens", 4}, {"vocabulary", 11}});
  BlueprintNetwork network(space->blueprint(space->genotype(0)));
  const torch::Tensor table = network.modules().back().linear->weight;
  const torch::Tensor ids = torch::tensor({3.F, 0.F, 10.F, 3.F}).view({1, 1, 4, 1});
  torch::Tensor embedded;
  const torch::NoGradGuard no_gradient;
  network.forward(ids, [&](const Step& step, const torch::Tensor& output) {
    if (step.operation == Operation::embed_tokens) embedded = output;
  });
  for (const auto& [place, id] : std::vector<std::pair<int, int>>{{0, 3}, {1, 0}, {2, 10}, {3, 3}})
    EXPECT_TRUE(torch::equal(embedded[0].select(1, place).flatten(), table[id]));
  EXPECT_ANY_THROW((void)network.forward(torch::full({1, 1, 4, 1}, 11.F)));
}

/// What a decoder says of a token does not depend on later ones; a changed token changes all later.
TEST(TokenSteps, OfADecoderLookBackOnly) {
  const auto space = make_space("gpt", {{"tokens", 6}, {"vocabulary", 9}});
  for (const char* genotype : {"4;256;4;32;1;2", "4;256;8;32;4;2"}) {
    BlueprintNetwork network(space->blueprint(genotype));
    const torch::NoGradGuard no_gradient;
    const auto outputs_of = [&](const torch::Tensor& ids) {
      return network.forward(ids.view({1, 1, 6, 1})).view({9, 6});
    };
    const torch::Tensor before = outputs_of(torch::tensor({1.F, 2.F, 3.F, 4.F, 5.F, 6.F})),
                        after = outputs_of(torch::tensor({1.F, 2.F, 3.F, 8.F, 5.F, 6.F}));
    EXPECT_TRUE(torch::allclose(before.narrow(1, 0, 3), after.narrow(1, 0, 3), 1e-5, 1e-6));
    for (std::int64_t place = 3; place < 6; ++place)
      EXPECT_FALSE(torch::allclose(before.select(1, place), after.select(1, place), 1e-3, 1e-3));
  }
}

/// As synaptic flow wants it: a weight doubled is what flows through it doubled.
TEST(TokenSteps, AreLinearInEachWeightWithNormalisationOff) {
  NetworkBuilder builder("net", 8, 3, 2);
  const Feature embedded =
      embed_positions(builder, "positions", tokens(builder, builder.input()), /*learnt=*/1);
  attention(builder, "attention", layer_norm(builder, "norm", embedded),
            {.heads = 4, .kv_heads = 2, .head_depth = 3, .context = 7, .is_causal = true});
  BlueprintNetwork network(std::move(builder).blueprint());
  network.to(torch::kFloat64);
  network.switch_normalisation_off(true);
  const torch::NoGradGuard no_gradient;
  const torch::Tensor images = torch::randn({2, 8, 3, 2}, torch::kFloat64);
  int weights = 0;
  for (torch::Tensor& weight : network.weights()) {
    const torch::Tensor drawn = weight.clone();
    const auto outputs_times = [&](double factor) {
      weight.copy_(factor * drawn);
      return network.forward(images);
    };
    const torch::Tensor none = outputs_times(0), twice = outputs_times(2), once = outputs_times(1);
    EXPECT_TRUE(torch::allclose(twice - none, 2 * (once - none)));
    weights += torch::allclose(once, none) ? 0 : 1;
  }
  EXPECT_EQ(weights, 2) << "values and output; queries and keys change nothing";
}

TEST(TokenSteps, WithACacheAreKnownByTheirCostOnly) {
  NetworkBuilder builder("net", 8, 1, 1);
  attention(builder, "decode", builder.input(),
            {.heads = 2, .kv_heads = 2, .head_depth = 4, .context = 16});
  EXPECT_EQ(test::message_of([&] { BlueprintNetwork(std::move(builder).blueprint()); }),
            "net: layer 'decode.scores' is known by its cost only, so that the network cannot run");
}

}  // namespace
}  // namespace cosearch::nas
