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

namespace cosearch::nas {

/// A tensor between layers: channels x height x width, held by one node or, after a
/// concatenation, by several. No source: the network's input.
struct Feature {
  std::int64_t channels = 1, height = 1, width = 1;
  std::vector<std::size_t> sources;
};

/// What is added to, or scales, each output channel of a convolution.
enum class Affine : std::uint8_t {
  none,
  bias,        ///< one number per channel
  batch_norm,  ///< scale and shift per channel; running statistics are not parameters
};

struct ConvolutionOptions {
  std::int64_t out_channels = 1;
  std::int64_t kernel = 1;  ///< square
  std::int64_t stride = 1, dilation = 1, groups = 1;
  /// On each side; left out: dilation * (kernel - 1) / 2, which keeps the extent at stride 1.
  std::optional<std::int64_t> padding = std::nullopt;
  Affine affine = Affine::batch_norm;
};

/// An inverted residual block: 1x1 expansion (left out when it would not widen), depthwise,
/// squeeze-and-excitation (when asked), 1x1 projection, addition of the shortcut (when given).
/// Source: M. Sandler et al., "MobileNetV2", CVPR 2018, section 3.3; M. Tan et al., "MnasNet",
/// CVPR 2019, figure 7.
struct MbConvOptions {
  std::int64_t out_channels = 1;
  std::int64_t expanded_channels = 1;
  std::int64_t kernel = 3, stride = 1;
  /// Width between the two layers of squeeze-and-excitation; 0 leaves it out.
  std::int64_t squeezed_channels = 0;
  std::optional<Feature> shortcut = std::nullopt;
};

/// Builds a Network front to back; each call appends layers and returns the tensor they make.
/// Every call throws UserError (naming the layer) where shapes do not fit.
class NetworkBuilder {
 public:
  NetworkBuilder(std::string name, std::int64_t channels, std::int64_t height, std::int64_t width);

  /// The network's input.
  [[nodiscard]] const Feature& input() const { return input_; }

  /// Appends any layer, reading all of `from` (several for additions and attention products).
  Feature append(const std::string& name, const Layer& layer, const std::vector<Feature>& from,
                 std::int64_t affine_parameters = 0);

  Feature convolution(const std::string& name, const Feature& from,
                      const ConvolutionOptions& options);
  Feature depthwise(const std::string& name, const Feature& from, std::int64_t kernel,
                    std::int64_t stride = 1, std::int64_t dilation = 1);
  /// Flattens first when `from` is larger than 1x1.
  Feature fully_connected(const std::string& name, const Feature& from, std::int64_t out_features,
                          Affine affine = Affine::bias);
  Feature pool(const std::string& name, const Feature& from, std::int64_t window,
               std::int64_t stride, std::int64_t padding = 0);
  Feature global_pool(const std::string& name, const Feature& from);
  /// Element-wise sum of two or more tensors of one shape.
  Feature add(const std::string& name, const std::vector<Feature>& operands);
  /// Global pooling, two fully connected layers with bias, and the scaling of each channel.
  Feature squeeze_excite(const std::string& name, const Feature& from,
                         std::int64_t squeezed_channels);
  Feature mbconv(const std::string& name, const Feature& from, const MbConvOptions& options);

  /// Side by side along the channels; heights and widths must agree.
  [[nodiscard]] static Feature concatenate(const std::vector<Feature>& parts);
  /// Without its first `rows` rows and `columns` columns.
  [[nodiscard]] static Feature crop(Feature from, std::int64_t rows, std::int64_t columns);

  [[nodiscard]] Network finish() && { return std::move(network_); }

 private:
  Network network_;
  Feature input_;
};

}  // namespace cosearch::nas
