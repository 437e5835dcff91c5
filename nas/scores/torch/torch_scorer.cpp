// The module's Scorer, loaded by load_scorer.
#include <ATen/Version.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/random.h"
#include "core/user_error.h"
#include "nas/scores/scorer.h"
#include "nas/scores/torch/torch_scores.h"
#include "nas/training/module.h"
#include "nas/training/torch/image_tensors.h"
#include "nas/training/torch/libraries.h"

namespace cosearch::nas {
namespace {

struct Batch {
  torch::Tensor images, labels;
};

Batch noise(const Blueprint& blueprint, std::int64_t count, std::uint64_t seed, int repetition) {
  const auto& [channels, height, width] = blueprint.steps.front().shape;
  const std::int64_t classes = blueprint.steps.back().shape.channels;
  const auto index = static_cast<std::uint64_t>(repetition);
  Random random(seed, "score labels", index);
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < count; ++i)
    labels.push_back(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(classes))));
  return {gaussian({count, channels, height, width}, Random(seed, "score images", index)),
          torch::tensor(labels)};
}

/// The first images, to zero mean and unit variance.
Batch front_of(const Blueprint& blueprint, const LabelledImages& images, std::int64_t count) {
  const FeatureShape& input = blueprint.steps.front().shape;
  if (!can_be_fitted(images, input))
    throw UserError(blueprint.name + ": takes images of " + std::to_string(input.channels) + "x" +
                    std::to_string(input.height) + "x" + std::to_string(input.width) + ", not " +
                    std::to_string(images.channels) + "x" + std::to_string(images.height) + "x" +
                    std::to_string(images.width));
  if (images.count < count)
    throw UserError("batch = " + std::to_string(count) + ": only " + std::to_string(images.count) +
                    " images are there");
  const torch::Tensor numbers =
      fitted(pixels_of(images, 0, count).to(torch::kFloat32), blueprint.steps.front().shape);
  return {(numbers - numbers.mean()) / numbers.std().clamp_min(1e-6), labels_of(images, 0, count)};
}

/// Whether it compares the outputs with the labels of images.
bool reads_labels(Score score) {
  return score == Score::snip || score == Score::grad_norm || score == Score::zico;
}

double score_of(Score score, BlueprintNetwork& network, const Batch& batch,
                std::uint64_t weight_seed) {
  const FeatureShape& output = network.blueprint().steps.back().shape;
  if (reads_labels(score) && output.height * output.width != 1)
    return std::numeric_limits<double>::quiet_NaN();
  switch (score) {
    case Score::synflow:
      return synflow(network, batch.images.slice(0, 0, 1));
    case Score::logsynflow:
      return logsynflow(network, batch.images.slice(0, 0, 1));
    case Score::naswot:
      return naswot(network, batch.images);
    case Score::nregions:
      return nregions(network, batch.images);
    case Score::jacob_cov:
      return jacob_cov(network, batch.images);
    case Score::snip:
      return snip(network, batch.images, batch.labels);
    case Score::grad_norm:
      return grad_norm(network, batch.images, batch.labels);
    case Score::zico:
      return zico(network, batch.images, batch.labels);
    case Score::zen: {
      draw_weights(network, WeightScale::unit, weight_seed);
      const double result =
          zen(network, gaussian(batch.images.sizes(), Random(weight_seed, "zen images")),
              gaussian(batch.images.sizes(), Random(weight_seed, "zen change")));
      draw_weights(network, WeightScale::he_fan_out, weight_seed);
      return result;
    }
    case Score::parameters:
    case Score::macs:
    case Score::skip:
      break;
  }
  throw UserError("score '" + std::string(name_of(score)) + "' needs no network that runs");
}

class TorchScorer : public Scorer {
 public:
  std::vector<double> score(const Blueprint& blueprint, std::span<const Score> scores,
                            const ScoringOptions& options, const LabelledImages* images,
                            std::uint64_t seed) const override {
    if (const auto problems = problems_in(options); !problems.empty())
      throw UserError(problems.front());
    if (reads_tokens(blueprint))
      throw UserError(
          blueprint.name +
          " reads tokens: only parameters, macs and skip score it, not images or noise");
    use_one_thread();
    BlueprintNetwork network(blueprint);
    std::vector<double> sums(scores.size(), 0);
    for (int repetition = 0; repetition < options.repeats; ++repetition) {
      const Batch batch = images == nullptr ? noise(blueprint, options.batch, seed, repetition)
                                            : front_of(blueprint, *images, options.batch);
      const std::uint64_t weight_seed =
          Random(seed, "repetition", static_cast<std::uint64_t>(repetition)).bits64();
      draw_weights(network, WeightScale::he_fan_out, weight_seed);
      for (std::size_t i = 0; i < scores.size(); ++i)
        sums[i] += score_of(scores[i], network, batch, weight_seed);
    }
    for (double& sum : sums)
      sum = std::isfinite(sum) ? sum / options.repeats : std::numeric_limits<double>::quiet_NaN();
    return sums;
  }

  std::string description() const override { return "LibTorch " TORCH_VERSION; }
};

}  // namespace
}  // namespace cosearch::nas

extern "C" cosearch::nas::Scorer* cosearch_create_scorer_1() {
  return new cosearch::nas::TorchScorer();
}
