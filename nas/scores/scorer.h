// Computes training-free scores of networks. No torch type appears here: the work is done by the
// module that also trains, loaded when the first network is scored.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nas/blueprint.h"
#include "nas/scores/score.h"
#include "nas/training/trainer.h"

namespace cosearch::nas {

struct ScoringOptions {
  /// Images per batch, drawn from a Gaussian or taken from the front of the given images.
  std::int64_t batch = 64;

  /// Times that weights (and noise) are drawn; a score is the mean.
  int repeats = 3;
};

/// Everything wrong with `options`, in the user's words; empty when valid.
[[nodiscard]] std::vector<std::string> problems_in(const ScoringOptions& options);

/// Each call runs on the caller's thread alone (and leaves that thread's LibTorch set to one
/// thread); calls from several threads are independent.
class Scorer {
 public:
  virtual ~Scorer() = default;

  /// One number per entry of `scores`, which need to run (see is_structural); not a number where
  /// the score is not finite for this network: it has no such score. Weights are drawn as by K. He
  /// et al., ICCV 2015, over the fan-out; they, the noise and the labels depend on the seed and the
  /// repetition alone. `images`: null for Gaussian noise with labels at random.
  /// Throws UserError when the network cannot run, or the options or images do not suit it.
  [[nodiscard]] virtual std::vector<double> score(const Blueprint& blueprint,
                                                  std::span<const Score> scores,
                                                  const ScoringOptions& options,
                                                  const LabelledImages* images,
                                                  std::uint64_t seed) const = 0;

  /// Versions of what computes the scores, as Trainer::description.
  [[nodiscard]] virtual std::string description() const = 0;
};

/// Loads the module from `module_folder`, as load_trainer does and with its errors.
[[nodiscard]] std::unique_ptr<Scorer> load_scorer(const std::filesystem::path& module_folder);

}  // namespace cosearch::nas
