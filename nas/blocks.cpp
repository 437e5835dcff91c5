#include "nas/blocks.h"

#include <algorithm>
#include <iterator>
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

FeatureShape output_shape(const Layer& layer) { return {layer.G * layer.K, layer.P, layer.Q}; }

}  // namespace

std::int64_t rounded_channels(std::int64_t channels, std::int64_t percent) {
  constexpr std::int64_t kMultiple = 8;
  const std::int64_t exact = channels * percent;  // in hundredths of a channel
  const std::int64_t nearest =
      std::max(kMultiple, (exact + 50 * kMultiple) / (100 * kMultiple) * kMultiple);
  return 1000 * nearest < 9 * exact ? nearest + kMultiple : nearest;
}

NetworkBuilder::NetworkBuilder(std::string name, std::int64_t channels, std::int64_t height,
                               std::int64_t width)
    : blueprint_{std::move(name), {}}, input_{channels, height, width} {
  append({.operation = Operation::input, .shape = {channels, height, width}}, {});
}

Feature NetworkBuilder::append(Step step, const std::vector<Feature>& from) {
  for (const Feature& feature : from) step.inputs.push_back(feature.step);
  const auto [channels, height, width] = step.shape;
  blueprint_.steps.push_back(std::move(step));
  return {channels, height, width, blueprint_.steps.size() - 1};
}

Feature NetworkBuilder::append(const std::string& name, const Layer& layer,
                               const std::vector<Feature>& from, std::int64_t affine_parameters) {
  // Without an input named, a layer reads the network's.
  return append({.name = name,
                 .operation = Operation::opaque,
                 .shape = output_shape(layer),
                 .layer = layer,
                 .further_parameters = affine_parameters},
                from);
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
  const Feature convolved = append({.name = name,
                                    .operation = Operation::convolution,
                                    .shape = output_shape(layer),
                                    .layer = layer,
                                    .affine = options.affine},
                                   {activate(from, options.preactivation)});
  return activate(convolved, options.activation);
}

Feature NetworkBuilder::up_convolution(const std::string& name, const Feature& from,
                                       std::int64_t out_channels) {
  const Layer layer = same_convolution(from.channels, 4 * out_channels, from.height, from.width, 1);
  return append({.name = name,
                 .operation = Operation::up_convolution,
                 .shape = {out_channels, 2 * from.height, 2 * from.width},
                 .layer = layer,
                 .affine = Affine::bias},
                {from});
}

Feature NetworkBuilder::fully_connected(const std::string& name, const Feature& from,
                                        std::int64_t out_features, Affine affine,
                                        Activation activation) {
  const Layer layer =
      cosearch::fully_connected(from.channels * from.height * from.width, out_features);
  const Feature features = append({.name = name,
                                   .operation = Operation::linear,
                                   .shape = output_shape(layer),
                                   .layer = layer,
                                   .affine = affine},
                                  {from});
  return activate(features, activation);
}

Feature NetworkBuilder::pool(const std::string& name, const Feature& from, Pooling pooling,
                             std::int64_t window, std::int64_t stride, std::int64_t padding) {
  return append_pool(
      name, from, pooling,
      cosearch::pooling(from.channels, from.height, from.width, window, stride, padding));
}

Feature NetworkBuilder::pool_rounding_up(const std::string& name, const Feature& from,
                                         Pooling pooling, std::int64_t window,
                                         std::int64_t stride) {
  return append_pool(
      name, from, pooling,
      cosearch::pooling_rounding_up(from.channels, from.height, from.width, window, stride));
}

Feature NetworkBuilder::append_pool(const std::string& name, const Feature& from, Pooling pooling,
                                    const Layer& layer) {
  return append(
      {.name = name,
       .operation = pooling == Pooling::maximum ? Operation::maximum_pool : Operation::average_pool,
       .shape = output_shape(layer),
       .layer = layer},
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
  return append({.name = name,
                 .operation = Operation::global_pool,
                 .shape = output_shape(layer),
                 .layer = layer},
                {from});
}

Feature NetworkBuilder::batch_norm(const std::string& name, const Feature& from,
                                   Activation activation) {
  const Layer layer = elementwise(from.channels, from.height, from.width, 1);
  const Feature normalised = append({.name = name,
                                     .operation = Operation::normalise,
                                     .shape = output_shape(layer),
                                     .layer = layer,
                                     .affine = Affine::batch_norm},
                                    {from});
  return activate(normalised, activation);
}

Feature NetworkBuilder::add(const std::string& name, const std::vector<Feature>& operands,
                            std::int64_t idle_parameters) {
  const Feature& first = operands.front();
  for (const Feature& operand : operands)
    if (operand.channels != first.channels || !same_map(operand, first))
      throw UserError(blueprint_.name + ": layer '" + name + "' adds " + shape_of(first) + " and " +
                      shape_of(operand) + ": expected one shape");
  const Layer layer = elementwise(first.channels, first.height, first.width, std::ssize(operands));
  return append({.name = name,
                 .operation = Operation::add,
                 .shape = output_shape(layer),
                 .layer = layer,
                 .further_parameters = idle_parameters},
                operands);
}

Feature NetworkBuilder::squeeze_excite(const std::string& name, const Feature& from,
                                       std::int64_t squeezed_channels, Activation gate) {
  const Feature pooled = global_pool(name + ".squeeze", from);
  const Feature squeezed =
      fully_connected(name + ".reduce", pooled, squeezed_channels, Affine::bias, Activation::relu);
  const Feature factors =
      fully_connected(name + ".expand", squeezed, from.channels, Affine::bias, gate);
  // Assumes: the one factor per channel weighs nothing beside the map it scales.
  const Layer layer = elementwise(from.channels, from.height, from.width, 1);
  return append({.name = name + ".scale",
                 .operation = Operation::scale,
                 .shape = output_shape(layer),
                 .layer = layer},
                {from, factors});
}

Feature NetworkBuilder::mbconv(const std::string& name, const Feature& from,
                               const MbConvOptions& options) {
  Feature feature = from;
  if (options.expanded_channels != from.channels)
    feature =
        convolution(name + ".expand", feature,
                    {.out_channels = options.expanded_channels, .activation = options.activation});
  feature = convolution(name + ".depthwise", feature,
                        {.out_channels = feature.channels,
                         .kernel = options.kernel,
                         .stride = options.stride,
                         .groups = feature.channels,
                         .activation = options.activation});
  if (options.squeezed_channels > 0)
    feature = squeeze_excite(name + ".se", feature, options.squeezed_channels);
  feature = convolution(name + ".project", feature, {.out_channels = options.out_channels});
  if (options.shortcut) feature = add(name + ".add", {feature, *options.shortcut});
  return feature;
}

Feature NetworkBuilder::activate(const Feature& from, Activation activation) {
  if (activation == Activation::none) return from;
  return append({.operation = Operation::activate,
                 .shape = {from.channels, from.height, from.width},
                 .activation = activation},
                {from});
}

Feature NetworkBuilder::concatenate(const std::vector<Feature>& parts) {
  const Feature& first = parts.front();
  std::int64_t channels = 0;
  for (const Feature& part : parts) {
    if (!same_map(part, first))
      throw UserError("cannot concatenate " + shape_of(first) + " and " + shape_of(part) +
                      ": expected equal heights and widths");
    channels += part.channels;
  }
  return append(
      {.operation = Operation::concatenate, .shape = {channels, first.height, first.width}}, parts);
}

Feature NetworkBuilder::crop(const Feature& from, std::int64_t rows, std::int64_t columns) {
  return append({.operation = Operation::crop,
                 .shape = {from.channels, from.height - rows, from.width - columns}},
                {from});
}

Feature NetworkBuilder::truncate(const Feature& from, std::int64_t channels) {
  if (channels == from.channels) return from;
  return append({.operation = Operation::truncate, .shape = {channels, from.height, from.width}},
                {from});
}

Feature NetworkBuilder::zero(const Feature& from) {
  return append({.operation = Operation::zero, .shape = {from.channels, from.height, from.width}},
                {from});
}

}  // namespace cosearch::nas
