// Training-free scores: numbers that rank networks without training them.
//
// Each is computed from networks whose weights have just been drawn. docs/scores.md says which
// conventions were chosen where the papers leave one open, and how well the scores rank.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cosearch::nas {

enum class Score : std::uint8_t {
  /// Sum over weights of |weight * gradient| of the summed outputs for an input of ones, all
  /// weights made positive, normalisation left out.
  /// H. Tanaka et al., "Pruning neural networks without any data by iteratively conserving synaptic
  /// flow", NeurIPS 2020, summed as by M. Abdelfattah et al., "Zero-cost proxies for
  /// lightweight NAS", ICLR 2021, section 3.2.
  synflow,
  /// The same with log(1 + gradient) for the gradient.
  /// N. Cavagnero et al., "FreeREA: training-free evolution-based architecture search", WACV 2023.
  logsynflow,
  /// Log-determinant of the matrix of how many activations agree in sign for two images.
  /// J. Mellor et al., "Neural architecture search without training", ICML 2021, section 3.
  naswot,
  /// How many different patterns of activations' signs the images give. It saturates at the number
  /// of images unless the network is thin and the images small.
  /// W. Chen et al., "Neural architecture search on ImageNet in four GPU hours", ICLR 2021,
  /// section 3.1.2.
  nregions,
  /// Minus the sum over eigenvalues v of the correlation between images' input gradients of
  /// log(v + 1e-5) + 1/(v + 1e-5).
  /// Mellor et al., first version (arXiv 2006.04647v1); Abdelfattah et al., section 3.2.
  jacob_cov,
  /// Sum over weights of |weight * gradient| of the cross-entropy of a batch.
  /// N. Lee et al., "SNIP: single-shot network pruning", ICLR 2019; Abdelfattah et al.,
  /// section 3.2.
  snip,
  /// Sum over layers of the Euclidean norm of the gradient of the cross-entropy of a batch.
  /// Abdelfattah et al., section 3.2.
  grad_norm,
  /// Log of how much the features before the global pooling change with a small change of a
  /// Gaussian input, plus for every normalisation the log of the deviation that it divides by.
  /// M. Lin et al., "Zen-NAS", ICCV 2021, algorithm 1.
  zen,
  /// Sum over layers of the log of the sum over weights of the mean of |gradient| over batches
  /// divided by its standard deviation.
  /// G. Li et al., "ZiCo", ICLR 2023.
  zico,
  /// Trained numbers.
  parameters,
  /// Multiply-accumulates of one image.
  macs,
  /// Mean number of nodes that the skip connections of a cell pass over; missing where the space
  /// has no cells with skip connections to choose.
  /// Cavagnero et al.
  skip,
};

/// In the order of the enumeration.
[[nodiscard]] std::vector<std::string> score_names();
[[nodiscard]] std::string_view name_of(Score score);
/// Throws UserError (with a suggestion) when no score is called `name`.
[[nodiscard]] Score score_named(std::string_view name);

/// Whether the score is known from the network alone, without running it.
[[nodiscard]] constexpr bool is_structural(Score score) { return score >= Score::parameters; }

}  // namespace cosearch::nas
