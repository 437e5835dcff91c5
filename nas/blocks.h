// The building blocks of convolutional networks, each written down once: the spaces and the named
// networks are all made of these.
//
// Assumes: ReLU-like activations and batch normalisation are fused into the convolution before
// them, as every inference compiler does: their parameters count, their traffic does not.
// Assumes: concatenation, cropping and reshaping only change addresses and cost nothing.
// Everything else that moves data is a layer: pooling, additions, channel scaling, global pooling.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/network.h"
#include "nas/blueprint.h"

namespace cosearch::nas {

/// A tensor between steps: channels x height x width, the output of `step` of the blueprint. Left
/// out: the network's input.
struct Feature {
  std::int64_t channels = 1, height = 1, width = 1;
  std::size_t step = 0;
};

/// `percent` % of `channels`, rounded to the nearest multiple of 8, never down by more than a
/// tenth. Source: M. Sandler et al., "MobileNetV2", CVPR 2018, reference implementation.
[[nodiscard]] std::int64_t rounded_channels(std::int64_t channels, std::int64_t percent = 100);

struct ConvolutionOptions {
  std::int64_t out_channels = 1;
  std::int64_t kernel = 1;  ///< square
  std::int64_t stride = 1, dilation = 1, groups = 1;
  /// On each side; left out: dilation * (kernel - 1) / 2, which keeps the extent at stride 1.
  std::optional<std::int64_t> padding = std::nullopt;
  /// Before the convolution, as in ReLU-convolution-normalisation cells.
  Activation preactivation = Activation::none;
  Affine affine = Affine::batch_norm;
  /// After the convolution and `affine`.
  Activation activation = Activation::none;
};

enum class Pooling : std::uint8_t { maximum, average };

/// An inverted residual block: 1x1 expansion (left out when it would not widen), depthwise,
/// squeeze-and-excitation (when asked), 1x1 projection, addition of the shortcut (when given).
/// Source: M. Sandler et al., "MobileNetV2", CVPR 2018, section 3.3; M. Tan et al., "MnasNet",
/// CVPR 2019, figure 7.
struct MbConvOptions {
  std::int64_t out_channels = 1;
  std::int64_t expanded_channels = 1;
  std::int64_t kernel = 3, stride = 1;
  /// After the expansion and after the depthwise convolution; the projection is linear.
  Activation activation = Activation::none;
  /// Width between the two layers of squeeze-and-excitation; 0 leaves it out.
  std::int64_t squeezed_channels = 0;
  std::optional<Feature> shortcut = std::nullopt;
};

/// Builds a network front to back; each call appends steps and returns the tensor they make.
/// Every call throws UserError (naming the layer) where shapes do not fit.
class NetworkBuilder {
 public:
  NetworkBuilder(std::string name, std::int64_t channels, std::int64_t height, std::int64_t width);

  /// The network's input.
  [[nodiscard]] const Feature& input() const { return input_; }

  /// Appends `step`, which reads all of `from`, and returns what it makes.
  Feature append(Step step, const std::vector<Feature>& from);
  /// Appends a layer of which only the cost is told: with one of these a network can be costed, but
  /// not run.
  Feature append(const std::string& name, const Layer& layer, const std::vector<Feature>& from,
                 std::int64_t affine_parameters = 0);

  Feature convolution(const std::string& name, const Feature& from,
                      const ConvolutionOptions& options);
  /// The transposed 2x2 convolution of stride 2 with bias, which doubles height and width. Its
  /// windows do not overlap, so that it is exactly a 1x1 convolution to four times the channels
  /// whose outputs are laid out as 2x2 pixels: that is its layer, which every machine can run.
  Feature up_convolution(const std::string& name, const Feature& from, std::int64_t out_channels);
  /// Flattens first when `from` is larger than 1x1.
  Feature fully_connected(const std::string& name, const Feature& from, std::int64_t out_features,
                          Affine affine = Affine::bias, Activation activation = Activation::none);
  /// The average is of what lies inside the map: padding does not count.
  Feature pool(const std::string& name, const Feature& from, Pooling pooling, std::int64_t window,
               std::int64_t stride, std::int64_t padding = 0);
  /// Without padding, and also over the last window where the map covers only a part of it.
  Feature pool_rounding_up(const std::string& name, const Feature& from, Pooling pooling,
                           std::int64_t window, std::int64_t stride);
  /// The mean of each channel.
  Feature global_pool(const std::string& name, const Feature& from);
  /// Batch normalisation that no convolution precedes, into which it would be fused.
  Feature batch_norm(const std::string& name, const Feature& from,
                     Activation activation = Activation::none);
  /// Element-wise sum of two or more tensors of one shape. `idle_parameters`: held beside it and
  /// never used.
  Feature add(const std::string& name, const std::vector<Feature>& operands,
              std::int64_t idle_parameters = 0);
  /// Global pooling, two fully connected layers with bias, and the scaling of each channel: ReLU
  /// between the layers, `gate` after them.
  /// Source: J. Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018 (sigmoid); A. Howard et
  /// al., "Searching for MobileNetV3", ICCV 2019, section 5.3 (hard sigmoid).
  Feature squeeze_excite(const std::string& name, const Feature& from,
                         std::int64_t squeezed_channels,
                         Activation gate = Activation::hard_sigmoid);
  Feature mbconv(const std::string& name, const Feature& from, const MbConvOptions& options);

  /// Fused into the step before it: costs nothing. `Activation::none` appends nothing.
  Feature activate(const Feature& from, Activation activation);
  /// Side by side along the channels; heights and widths must agree. Costs nothing.
  Feature concatenate(const std::vector<Feature>& parts);
  /// Without its first `rows` rows and `columns` columns. Costs nothing.
  Feature crop(const Feature& from, std::int64_t rows, std::int64_t columns);
  /// The first `channels`. Costs nothing; all of them appends nothing.
  Feature truncate(const Feature& from, std::int64_t channels);
  /// Zeros of the shape of `from`. Costs nothing; layers that read it are joined to `from`.
  Feature zero(const Feature& from);

  /// What was built so far.
  [[nodiscard]] const std::vector<Step>& steps() const { return blueprint_.steps; }
  /// What was built, to run or to train.
  [[nodiscard]] Blueprint blueprint() && { return std::move(blueprint_); }
  /// What was built, to cost.
  [[nodiscard]] Network finish() && { return lower(blueprint_); }

 private:
  Feature append_pool(const std::string& name, const Feature& from, Pooling pooling,
                      const Layer& layer);

  Blueprint blueprint_;
  Feature input_;
};

}  // namespace cosearch::nas
