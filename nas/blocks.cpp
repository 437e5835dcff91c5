#include "nas/blocks.h"

#include <algorithm>
#include <utility>

#include "core/user_error.h"

namespace cosearch::nas {
namespace {

std::string shape_of(const Feature& feature) {
  return std::to_string(feature.channels) + "x" + std::to_string(feature.height) + "x" +
         std::to_string(feature.width);
}

bool same_map(const Feature& a, const Feature& b) {
  return a.height == b.height && a.width == b.width;
}

std::int64_t affine_parameters(Affine affine, std::int64_t channels) {
  switch (affine) {
    case Affine::none:
      return 0;
    case Affine::bias:
      return channels;
    case Affine::batch_norm:
      return 2 * channels;
  }
  return 0;
}

/// Every source once, in order of first appearance.
std::vector<std::size_t> sources_of(const std::vector<Feature>& features) {
  std::vector<std::size_t> sources;
  for (const Feature& feature : features)
    for (const std::size_t source : feature.sources)
      if (std::find(sources.begin(), sources.end(), source) == sources.end())
        sources.push_back(source);
  return sources;
}

}  // namespace

NetworkBuilder::NetworkBuilder(std::string name, std::int64_t channels, std::int64_t height,
                               std::int64_t width)
    : network_(std::move(name)), input_{channels, height, width, {}} {}

Feature NetworkBuilder::append(const std::string& name, const Layer& layer,
                               const std::vector<Feature>& from, std::int64_t affine) {
  const std::size_t node = network_.add(
      {.name = name, .layer = layer, .affine_parameters = affine, .inputs = sources_of(from)});
  return {layer.G * layer.K, layer.P, layer.Q, {node}};
}

Feature NetworkBuilder::convolution(const std::string& name, const Feature& from,
                                    const ConvolutionOptions& options) {
  const std::int64_t padding =
      options.padding.value_or(options.dilation * (options.kernel - 1) / 2);
  const Layer layer = cosearch::convolution({.in_channels = from.channels,
                                             .out_channels = options.out_channels,
                                             .height = from.height,
                                             .width = from.width,
                                             .kernel_h = options.kernel,
                                             .kernel_w = options.kernel,
                                             .stride = options.stride,
                                             .pad_h = padding,
                                             .pad_w = padding,
                                             .dilation = options.dilation,
                                             .groups = options.groups});
  return append(name, layer, {from}, affine_parameters(options.affine, options.out_channels));
}

Feature NetworkBuilder::depthwise(const std::string& name, const Feature& from, std::int64_t kernel,
                                  std::int64_t stride, std::int64_t dilation) {
  return convolution(name, from,
                     {.out_channels = from.channels,
                      .kernel = kernel,
                      .stride = stride,
                      .dilation = dilation,
                      .groups = from.channels});
}

Feature NetworkBuilder::fully_connected(const std::string& name, const Feature& from,
                                        std::int64_t out_features, Affine affine) {
  return append(name,
                cosearch::fully_connected(from.channels * from.height * from.width, out_features),
                {from}, affine_parameters(affine, out_features));
}

Feature NetworkBuilder::pool(const std::string& name, const Feature& from, std::int64_t window,
                             std::int64_t stride, std::int64_t padding) {
  return append(name, pooling(from.channels, from.height, from.width, window, stride, padding),
                {from});
}

Feature NetworkBuilder::global_pool(const std::string& name, const Feature& from) {
  Layer layer = cosearch::convolution({.in_channels = from.channels,
                                       .out_channels = from.channels,
                                       .height = from.height,
                                       .width = from.width,
                                       .kernel_h = from.height,
                                       .kernel_w = from.width,
                                       .groups = from.channels});
  layer.kind = LayerKind::pooling;
  return append(name, layer, {from});
}

Feature NetworkBuilder::add(const std::string& name, const std::vector<Feature>& operands) {
  const Feature& first = operands.front();
  for (const Feature& operand : operands)
    if (operand.channels != first.channels || !same_map(operand, first))
      throw UserError(network_.name() + ": layer '" + name + "' adds " + shape_of(first) + " and " +
                      shape_of(operand) + ": expected one shape");
  return append(name,
                elementwise(first.channels, first.height, first.width,
                            static_cast<std::int64_t>(operands.size())),
                operands);
}

Feature NetworkBuilder::squeeze_excite(const std::string& name, const Feature& from,
                                       std::int64_t squeezed_channels) {
  const Feature pooled = global_pool(name + ".squeeze", from);
  const Feature squeezed = fully_connected(name + ".reduce", pooled, squeezed_channels);
  const Feature gate = fully_connected(name + ".expand", squeezed, from.channels);
  // Assumes: the one factor per channel weighs nothing beside the map it scales.
  return append(name + ".scale", elementwise(from.channels, from.height, from.width, 1),
                {from, gate});
}

Feature NetworkBuilder::mbconv(const std::string& name, const Feature& from,
                               const MbConvOptions& options) {
  Feature feature = from;
  if (options.expanded_channels != from.channels)
    feature = convolution(name + ".expand", feature, {.out_channels = options.expanded_channels});
  feature = depthwise(name + ".depthwise", feature, options.kernel, options.stride);
  if (options.squeezed_channels > 0)
    feature = squeeze_excite(name + ".se", feature, options.squeezed_channels);
  feature = convolution(name + ".project", feature, {.out_channels = options.out_channels});
  if (options.shortcut) feature = add(name + ".add", {feature, *options.shortcut});
  return feature;
}

Feature NetworkBuilder::concatenate(const std::vector<Feature>& parts) {
  Feature whole{0, parts.front().height, parts.front().width, sources_of(parts)};
  for (const Feature& part : parts) {
    if (!same_map(part, whole))
      throw UserError("cannot concatenate " + shape_of(parts.front()) + " and " + shape_of(part) +
                      ": expected equal heights and widths");
    whole.channels += part.channels;
  }
  return whole;
}

Feature NetworkBuilder::crop(Feature from, std::int64_t rows, std::int64_t columns) {
  from.height -= rows;
  from.width -= columns;
  return from;
}

}  // namespace cosearch::nas
