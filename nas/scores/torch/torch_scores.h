// The training-free scores of one network whose weights are drawn: what each paper defines, on a
// module that runs. nas/scores/score.h names the sources.
//
// Every function leaves the network's weights as it found them. Results that are not finite are
// returned as they are.
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "core/random.h"
#include "nas/training/torch/blueprint_network.h"

namespace cosearch::nas {

enum class WeightScale : std::uint8_t {
  he_fan_out,  ///< variance 2 / (output channels x window)
  unit,        ///< variance 1
};

/// Gaussian weights, drawn for (seed, layer's number); biases, shifts and
/// positions zero, scales one.
/// Source: K. He et al., "Delving deep into rectifiers", ICCV 2015, section 2.2, backward case.
void draw_weights(BlueprintNetwork& network, WeightScale scale, std::uint64_t seed);

/// A tensor of `shape` of independent standard normal numbers.
[[nodiscard]] torch::Tensor gaussian(at::IntArrayRef shape, Random random);

/// `image`: 1 x channels x height x width, read for its shape only. Where tokens attend to each
/// other they do so evenly: what flows is then linear in each weight, and the weights of queries
/// and keys count nothing.
[[nodiscard]] double synflow(BlueprintNetwork& network, const torch::Tensor& image);
[[nodiscard]] double logsynflow(BlueprintNetwork& network, const torch::Tensor& image);

/// count x count: for how many activations two images agree in being positive or not.
[[nodiscard]] torch::Tensor agreements(BlueprintNetwork& network, const torch::Tensor& images);
[[nodiscard]] double naswot(BlueprintNetwork& network, const torch::Tensor& images);
[[nodiscard]] double nregions(BlueprintNetwork& network, const torch::Tensor& images);

[[nodiscard]] double jacob_cov(BlueprintNetwork& network, const torch::Tensor& images);

/// `labels`: 64-bit classes, one per image.
[[nodiscard]] double snip(BlueprintNetwork& network, const torch::Tensor& images,
                          const torch::Tensor& labels);
[[nodiscard]] double grad_norm(BlueprintNetwork& network, const torch::Tensor& images,
                               const torch::Tensor& labels);
/// Over the two halves of the batch.
[[nodiscard]] double zico(BlueprintNetwork& network, const torch::Tensor& images,
                          const torch::Tensor& labels);

/// For weights of unit scale. `change`: of the shape of `images`; both Gaussian.
[[nodiscard]] double zen(BlueprintNetwork& network, const torch::Tensor& images,
                         const torch::Tensor& change);

}  // namespace cosearch::nas
