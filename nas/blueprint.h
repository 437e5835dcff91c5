// What a network computes, step by step: enough to run and train it. core::Network keeps of this
// only what costs something, so that both come from one description and cannot disagree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/network.h"

namespace cosearch::nas {

/// What a step does with its inputs, all tensors of channels x height x width per image.
enum class Operation : std::uint8_t {
  input,           ///< the network's input; step 0 and no other
  convolution,     ///< weights, groups, stride, dilation and padding as in the step's layer
  up_convolution,  ///< transposed, 2x2 of stride 2; its layer is the 1x1 convolution it amounts to
  linear,          ///< of all the numbers of its input, flattened
  maximum_pool,    ///< over the layer's window
  average_pool,    ///< over the layer's window, of what lies inside the map
  global_pool,     ///< mean over the map
  normalise,       ///< batch normalisation with no convolution before it
  add,             ///< sum of all inputs
  scale,           ///< the first input, each channel times its one number in the second
  activate,        ///< the step's activation, element by element
  concatenate,     ///< side by side along the channels
  crop,            ///< the last rows and columns, as many as the step's shape has
  truncate,        ///< the first channels, as many as the step's shape has
  zero,            ///< zeros of its input's shape
  opaque,          ///< known by its cost only: cannot run
};

/// Element by element, as the training frameworks define them.
enum class Activation : std::uint8_t {
  none,
  relu,
  relu6,
  swish,
  hard_swish,
  sigmoid,
  hard_sigmoid
};

/// What is added to, or scales, each output channel of a convolution.
enum class Affine : std::uint8_t {
  none,
  bias,        ///< one number per channel
  batch_norm,  ///< scale and shift per channel; running statistics are not parameters
};

[[nodiscard]] std::int64_t parameters_of(Affine affine, std::int64_t channels);

struct FeatureShape {
  std::int64_t channels = 1, height = 1, width = 1;

  friend bool operator==(const FeatureShape&, const FeatureShape&) = default;
};

struct Step {
  std::string name = {};  ///< that of its layer; empty where it costs nothing
  Operation operation = Operation::opaque;
  FeatureShape shape = {};  ///< of the output, for one image
  /// Earlier steps whose outputs this one reads, in order.
  std::vector<std::size_t> inputs = {};
  /// What it costs; none: it only changes addresses, or is fused into the step before it.
  std::optional<Layer> layer = std::nullopt;
  /// Applied to the output, one number (or two) per channel.
  Affine affine = Affine::none;
  /// Of Operation::activate.
  Activation activation = Activation::none;
  /// Parameters beyond the layer's weights and `affine`: held and counted, but used by nothing, or
  /// (Operation::opaque) used in a way that is not told.
  std::int64_t further_parameters = 0;

  friend bool operator==(const Step&, const Step&) = default;
};

/// Steps in an order in which they can run. All of them run; the last one's output is the
/// network's.
struct Blueprint {
  std::string name;
  std::vector<Step> steps;

  friend bool operator==(const Blueprint&, const Blueprint&) = default;
};

/// The steps that cost something; the others hand on what they read. Throws UserError (naming the
/// layer) where a layer is not valid.
[[nodiscard]] Network lower(const Blueprint& blueprint);

}  // namespace cosearch::nas
