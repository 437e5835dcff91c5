// Every score beside what its paper's definition gives on a network small enough to do it in loops.
#include "nas/scores/torch/torch_scores.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "nas/blocks.h"
#include "nas/transformer_blocks.h"

namespace cosearch::nas {
namespace {

using Matrix = std::vector<std::vector<double>>;  // by row

Matrix numbers_of(const torch::Tensor& tensor) {
  const torch::Tensor rows = tensor.detach().to(torch::kFloat64).flatten(1).contiguous();
  Matrix matrix;
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    const double* row = rows.data_ptr<double>() + i * rows.size(1);
    matrix.emplace_back(row, row + rows.size(1));
  }
  return matrix;
}

/// Two linear layers, normalised and activated in between.
BlueprintNetwork two_layers(std::int64_t in, std::int64_t hidden, std::int64_t out) {
  NetworkBuilder builder("two layers", in, 1, 1);
  Feature feature = builder.fully_connected("first", builder.input(), hidden, Affine::none);
  feature = builder.batch_norm("norm", feature, Activation::relu);
  builder.fully_connected("second", feature, out, Affine::none);
  BlueprintNetwork network(std::move(builder).blueprint());
  draw_weights(network, WeightScale::he_fan_out, 3);
  return network;
}

/// One linear layer: its gradients can be written down.
BlueprintNetwork one_layer(std::int64_t in, std::int64_t out) {
  NetworkBuilder builder("one layer", in, 1, 1);
  builder.fully_connected("only", builder.input(), out, Affine::none);
  BlueprintNetwork network(std::move(builder).blueprint());
  draw_weights(network, WeightScale::he_fan_out, 5);
  return network;
}

torch::Tensor images_of(std::int64_t count, std::int64_t channels, std::uint64_t seed) {
  return gaussian({count, channels, 1, 1}, Random(seed, "test images"));
}

TEST(Scores, SynflowIsTheSumOverPathsOncePerLayer) {
  BlueprintNetwork network = two_layers(3, 5, 2);
  const Matrix first = numbers_of(network.weights()[0]), second = numbers_of(network.weights()[1]);
  double paths = 0, logarithms = 0;
  for (int h = 0; h < 5; ++h)
    for (int i = 0; i < 3; ++i)
      for (int o = 0; o < 2; ++o) paths += std::abs(first[h][i] * second[o][h]);
  for (int h = 0; h < 5; ++h) {
    double into = 0, out_of = 0;
    for (int i = 0; i < 3; ++i) into += std::abs(first[h][i]);
    for (int o = 0; o < 2; ++o) out_of += std::abs(second[o][h]);
    logarithms += into * std::log(1 + out_of) + out_of * std::log(1 + into);
  }
  const torch::Tensor image = images_of(1, 3, 1);
  EXPECT_NEAR(synflow(network, image), 2 * paths, 1e-12 * paths);
  EXPECT_NEAR(logsynflow(network, image), logarithms, 1e-12 * logarithms);
  EXPECT_EQ(numbers_of(network.weights()[0]), first) << "the weights are as they were";
}

TEST(Scores, SynflowCountsNothingThatDoesNotReachTheOutput) {
  NetworkBuilder builder("cut", 2, 1, 1);
  const Feature lost = builder.fully_connected("lost", builder.input(), 2, Affine::none);
  builder.fully_connected("classifier", builder.zero(lost), 2, Affine::none);
  BlueprintNetwork network(std::move(builder).blueprint());
  draw_weights(network, WeightScale::he_fan_out, 1);
  EXPECT_EQ(synflow(network, images_of(1, 2, 1)), 0);
  EXPECT_EQ(logsynflow(network, images_of(1, 2, 1)), 0);
}

/// Signs after a linear layer, image by image, in loops.
std::vector<std::vector<bool>> signs_of(const BlueprintNetwork& network, const Matrix& images) {
  const Matrix weights = numbers_of(network.weights()[0]);
  std::vector<std::vector<bool>> signs;
  for (const auto& image : images) {
    std::vector<bool> row;
    for (const auto& weight : weights) {
      double sum = 0;
      for (std::size_t i = 0; i < image.size(); ++i) sum += weight[i] * image[i];
      row.push_back(sum > 0);
    }
    signs.push_back(row);
  }
  return signs;
}

/// Linear layer and activation.
BlueprintNetwork activated_layer(std::int64_t in, std::int64_t out) {
  NetworkBuilder builder("activated", in, 1, 1);
  builder.fully_connected("only", builder.input(), out, Affine::none, Activation::relu);
  BlueprintNetwork network(std::move(builder).blueprint());
  draw_weights(network, WeightScale::he_fan_out, 7);
  return network;
}

TEST(Scores, NaswotIsTheLogDeterminantOfAgreements) {
  BlueprintNetwork network = activated_layer(4, 20);
  const torch::Tensor images = images_of(3, 4, 2);
  const auto signs = signs_of(network, numbers_of(images));
  double k[3][3] = {};
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 3; ++b)
      for (int unit = 0; unit < 20; ++unit) k[a][b] += signs[a][unit] == signs[b][unit] ? 1 : 0;
  EXPECT_EQ(numbers_of(agreements(network, images)), (Matrix{{k[0][0], k[0][1], k[0][2]},
                                                             {k[1][0], k[1][1], k[1][2]},
                                                             {k[2][0], k[2][1], k[2][2]}}));
  const double determinant = k[0][0] * (k[1][1] * k[2][2] - k[1][2] * k[2][1]) -
                             k[0][1] * (k[1][0] * k[2][2] - k[1][2] * k[2][0]) +
                             k[0][2] * (k[1][0] * k[2][1] - k[1][1] * k[2][0]);
  EXPECT_NEAR(naswot(network, images), std::log(determinant), 1e-9);
}

TEST(Scores, NaswotIsNotFiniteWhereImagesCannotBeToldApart) {
  BlueprintNetwork network = activated_layer(4, 20);
  EXPECT_FALSE(std::isfinite(naswot(network, torch::ones({3, 4, 1, 1}))));
}

TEST(Scores, NregionsCountsDifferentPatterns) {
  BlueprintNetwork network = activated_layer(2, 3);
  const torch::Tensor images = images_of(40, 2, 4);
  const auto signs = signs_of(network, numbers_of(images));
  const std::set<std::vector<bool>> patterns(signs.begin(), signs.end());
  ASSERT_GT(patterns.size(), 2U);
  EXPECT_EQ(nregions(network, images), static_cast<double>(patterns.size()));
}

TEST(Scores, JacobCovOfALinearNetworkIsThatOfFullCorrelation) {
  // The same Jacobian for every image: eigenvalues n, 0, ..., 0.
  BlueprintNetwork network = one_layer(6, 3);
  constexpr int n = 5;
  constexpr double k = 1e-5;
  const double expected = -(std::log(n + k) + 1 / (n + k)) - (n - 1) * (std::log(k) + 1 / k);
  EXPECT_NEAR(jacob_cov(network, images_of(n, 6, 2)), expected, 1e-6 * std::abs(expected));
}

/// Gradients of the mean cross-entropy of softmax regression, in loops: [class][input].
Matrix regression_gradients(const BlueprintNetwork& network, const Matrix& images,
                            const std::vector<std::int64_t>& labels) {
  const Matrix weights = numbers_of(network.weights()[0]);
  Matrix gradients(weights.size(), std::vector<double>(images[0].size(), 0));
  for (std::size_t n = 0; n < images.size(); ++n) {
    std::vector<double> exponentials;
    double sum = 0;
    for (const auto& weight : weights) {
      double logit = 0;
      for (std::size_t i = 0; i < weight.size(); ++i) logit += weight[i] * images[n][i];
      exponentials.push_back(std::exp(logit));
      sum += exponentials.back();
    }
    for (std::size_t c = 0; c < weights.size(); ++c)
      for (std::size_t i = 0; i < images[n].size(); ++i)
        gradients[c][i] += (exponentials[c] / sum - (labels[n] == std::int64_t(c) ? 1 : 0)) *
                           images[n][i] / static_cast<double>(images.size());
  }
  return gradients;
}

TEST(Scores, GradientScoresOfSoftmaxRegressionAreThoseWrittenDown) {
  BlueprintNetwork network = one_layer(4, 3);
  const torch::Tensor images = images_of(6, 4, 9);
  const std::vector<std::int64_t> labels{0, 2, 1, 1, 0, 2};
  const Matrix weights = numbers_of(network.weights()[0]), rows = numbers_of(images);
  const Matrix whole = regression_gradients(network, rows, labels);
  const Matrix first = regression_gradients(network, {rows.begin(), rows.begin() + 3}, {0, 2, 1});
  const Matrix second = regression_gradients(network, {rows.begin() + 3, rows.end()}, {1, 0, 2});
  double products = 0, squares = 0, ratios = 0;
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t i = 0; i < 4; ++i) {
      products += std::abs(weights[c][i] * whole[c][i]);
      squares += whole[c][i] * whole[c][i];
      const double a = std::abs(first[c][i]), b = std::abs(second[c][i]);
      ratios += (a + b) / 2 / (std::abs(a - b) / 2);
    }
  const torch::Tensor classes = torch::tensor(labels);
  EXPECT_NEAR(snip(network, images, classes), products, 1e-5 * products);
  EXPECT_NEAR(grad_norm(network, images, classes), std::sqrt(squares), 1e-5);
  EXPECT_NEAR(zico(network, images, classes), std::log(ratios), 1e-3);
}

TEST(Scores, ZenIsTheChangeOfFeaturesAndWhatNormalisationDividesBy) {
  const torch::Tensor images = images_of(8, 3, 1), change = images_of(8, 3, 2);
  NetworkBuilder builder("zen", 3, 1, 1);
  const Feature features = builder.convolution("conv", builder.input(), {.out_channels = 4});
  builder.fully_connected("classifier", builder.global_pool("pool", features), 2);
  BlueprintNetwork network(std::move(builder).blueprint());
  draw_weights(network, WeightScale::unit, 11);
  const Matrix weights = numbers_of(network.weights()[0]);
  // Normalised outputs of the batch `rows`, and the mean over channels of their variances.
  const auto normalised = [&](const Matrix& rows, double& variance) {
    Matrix outputs(rows.size(), std::vector<double>(4, 0));
    variance = 0;
    for (std::size_t c = 0; c < 4; ++c) {
      double mean = 0, squares = 0;
      for (std::size_t n = 0; n < 8; ++n) {
        for (std::size_t i = 0; i < 3; ++i) outputs[n][c] += weights[c][i] * rows[n][i];
        mean += outputs[n][c] / 8;
      }
      for (std::size_t n = 0; n < 8; ++n)
        squares += (outputs[n][c] - mean) * (outputs[n][c] - mean);
      variance += squares / 7 / 4;
      for (std::size_t n = 0; n < 8; ++n)
        outputs[n][c] = (outputs[n][c] - mean) / std::sqrt(squares / 8 + 1e-5);
    }
    return outputs;
  };
  double variance = 0, unused = 0, difference = 0;
  const Matrix base = normalised(numbers_of(images), variance);
  const Matrix moved = normalised(numbers_of(images + 0.01 * change), unused);
  for (std::size_t n = 0; n < 8; ++n)
    for (std::size_t c = 0; c < 4; ++c) difference += std::abs(base[n][c] - moved[n][c]) / 8;
  EXPECT_NEAR(zen(network, images, change), std::log(difference) + std::log(variance) / 2, 1e-3);
}

TEST(Scores, DrawWeightsOfTheVarianceSaidForTheSeedGiven) {
  NetworkBuilder builder("wide", 64, 4, 4);
  builder.convolution("grouped", builder.input(), {.out_channels = 128, .kernel = 3, .groups = 4});
  BlueprintNetwork network(std::move(builder).blueprint());
  const auto drawn = [&](WeightScale scale, std::uint64_t seed) {
    draw_weights(network, scale, seed);
    return network.weights()[0].detach().clone();
  };
  // 128 outputs x 9: the fan-out as the training frameworks count it, all groups together.
  const torch::Tensor weights = drawn(WeightScale::he_fan_out, 1);
  EXPECT_NEAR(weights.var().item<double>() * 128 * 9 / 2, 1, 0.05);
  EXPECT_NEAR(weights.mean().item<double>(), 0, 0.002);
  EXPECT_TRUE(drawn(WeightScale::he_fan_out, 1).equal(weights));
  EXPECT_FALSE(drawn(WeightScale::he_fan_out, 2).equal(weights));
  EXPECT_NEAR(drawn(WeightScale::unit, 1).var().item<double>(), 1, 0.05);
}

TEST(Scores, DrawNoWeightsOfPositionsAndNormalisation) {
  NetworkBuilder builder("tokens", 4, 2, 2);
  layer_norm(builder, "norm",
             embed_positions(builder, "positions", tokens(builder, builder.input()), 1));
  BlueprintNetwork network(std::move(builder).blueprint());
  {
    const torch::NoGradGuard no_gradient;
    for (torch::Tensor& parameter : network.parameters()) parameter.fill_(3);
  }
  draw_weights(network, WeightScale::he_fan_out, 1);
  for (const StepModules& modules : network.modules()) {
    if (modules.embedding) {
      EXPECT_FALSE(modules.embedding->positions.any().item<bool>());
      EXPECT_FALSE(modules.embedding->learnt.any().item<bool>());
    }
    if (modules.layer_norm) {
      EXPECT_TRUE(modules.layer_norm->weight.eq(1).all().item<bool>());
      EXPECT_FALSE(modules.layer_norm->bias.any().item<bool>());
    }
  }
}

}  // namespace
}  // namespace cosearch::nas
