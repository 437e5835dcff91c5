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
  normalise,       ///< with no convolution before it, as the step's affine numbers say
  add,             ///< sum of all inputs
  scale,           ///< the first input, each channel times its one number in the second
  activate,        ///< the step's activation, element by element
  concatenate,     ///< side by side along the channels
  crop,            ///< the last rows and columns, as many as the step's shape has
  truncate,        ///< the first channels, as many as the step's shape has
  zero,            ///< zeros of its input's shape
  // Of transformers. Tokens are rows: as many channels as a token is wide, one column.
  tokens,            ///< the positions of a map as tokens, row by row
  embed_tokens,      ///< for each number read that row of the last step's weights, and a position
  embed_positions,   ///< learnt tokens behind those read, then to each a learnt position
  token_linear,      ///< of each token, with the same weights
  attention_scores,  ///< each query (first input) with each key over the root of their depth
  softmax,           ///< of each query's scores, over the keys
  causal_softmax,    ///< over its own key and those of earlier tokens
  attention_values,  ///< for each query the mean of values (second input), by softmax's shares
  opaque,            ///< known by its cost only: cannot run
};

/// Element by element, as the training frameworks define them.
enum class Activation : std::uint8_t {
  none,
  relu,
  relu6,
  swish,
  hard_swish,
  sigmoid,
  hard_sigmoid,
  gelu,  ///< exact, by the error function
};

/// What is added to, or scales, each output channel.
enum class Affine : std::uint8_t {
  none,
  bias,        ///< one number per channel
  batch_norm,  ///< scale and shift per channel; running statistics are not parameters
  layer_norm,  ///< the same after each token is brought to zero mean and unit variance
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
  /// Parameters beyond the layer's weights and `affine`: the tokens and positions that embeddings
  /// learn; of Operation::opaque, used in a way that is not told; of others, held and counted, but
  /// used by nothing.
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

/// Whether it reads whole numbers that name tokens, instead of an image.
[[nodiscard]] bool reads_tokens(const Blueprint& blueprint);

/// The steps that cost something; the others hand on what they read. Throws UserError (naming the
/// layer) where a layer is not valid.
[[nodiscard]] Network lower(const Blueprint& blueprint);

}  // namespace cosearch::nas
