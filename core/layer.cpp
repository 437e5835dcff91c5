#include "core/layer.h"

#include <algorithm>
#include <initializer_list>

#include "core/user_error.h"

namespace cosearch {
namespace {

std::int64_t output_extent(std::int64_t input, std::int64_t padding, std::int64_t window,
                           std::int64_t dilation, std::int64_t stride) {
  const std::int64_t span = input + padding - dilation * (window - 1) - 1;
  return span < 0 ? 0 : span / stride + 1;
}

Layer memory_bound(LayerKind kind, std::int64_t channels, std::int64_t height, std::int64_t width) {
  Layer layer;
  layer.kind = kind;
  layer.G = channels;
  layer.P = layer.input_h = height;
  layer.Q = layer.input_w = width;
  return layer;
}

/// Products of two of these cannot overflow.
constexpr std::int64_t kMostFactor = std::int64_t{1} << 30;

void require_at_most(const std::string& what, std::initializer_list<std::int64_t> factors) {
  for (const std::int64_t factor : factors)
    if (factor > kMostFactor)
      throw UserError(what + ": " + std::to_string(factor) + " is too large: must be at most " +
                      std::to_string(kMostFactor));
}

/// All of a convolution but the extents of its tensors. `what` names it in messages.
Layer window_of(const ConvolutionShape& shape, const std::string& what) {
  if (shape.groups < 1 || shape.in_channels % shape.groups != 0 ||
      shape.out_channels % shape.groups != 0)
    throw UserError(what + ": channels " + std::to_string(shape.in_channels) + " -> " +
                    std::to_string(shape.out_channels) +
                    " do not divide by groups = " + std::to_string(shape.groups));
  Layer layer;
  layer.N = shape.batch;
  layer.G = shape.groups;
  layer.K = shape.out_channels / shape.groups;
  layer.C = shape.in_channels / shape.groups;
  layer.T = shape.kernel_d;
  layer.R = shape.kernel_h;
  layer.S = shape.kernel_w;
  layer.stride_d = shape.stride_d;
  layer.stride_h = shape.stride_h.value_or(shape.stride);
  layer.stride_w = shape.stride_w.value_or(shape.stride);
  layer.dilation_d = shape.dilation_d;
  layer.dilation_h = shape.dilation_h.value_or(shape.dilation);
  layer.dilation_w = shape.dilation_w.value_or(shape.dilation);
  layer.pad_front = layer.pad_back = shape.pad_d;
  layer.pad_top = layer.pad_bottom = shape.pad_h;
  layer.pad_left = layer.pad_right = shape.pad_w;
  require_at_most(
      what, {shape.depth, shape.height, shape.width, layer.T, layer.R, layer.S, layer.stride_d,
             layer.stride_h, layer.stride_w, layer.dilation_d, layer.dilation_h, layer.dilation_w,
             layer.pad_front, layer.pad_top, layer.pad_left});
  return layer;
}

/// Heads that share keys and values: how many times the rows of each product.
std::int64_t heads_per_kv_head(const AttentionShape& shape) {
  if (shape.kv_heads < 1 || shape.heads % shape.kv_heads != 0)
    throw UserError("attention: heads = " + std::to_string(shape.heads) +
                    " do not divide by kv_heads = " + std::to_string(shape.kv_heads));
  require_at_most("attention", {shape.rows, shape.heads, shape.kv_heads, shape.batch});
  return shape.heads / shape.kv_heads;
}

// Multiply-accumulates or input words, whichever is more; in floating point, which cannot overflow.
double work_of(const Layer& layer) {
  const auto product = [](auto... extents) { return (1.0 * ... * static_cast<double>(extents)); };
  return std::max({product(layer.N, layer.G, layer.K, layer.C, layer.extent_d(), layer.extent_h(),
                           layer.extent_w(), layer.T, layer.R, layer.S),
                   product(layer.N, layer.G, layer.C, layer.input_d, layer.input_h, layer.input_w),
                   product(layer.N, layer.G, layer.K, layer.D, layer.P, layer.Q)});
}

}  // namespace

std::int64_t Layer::parameters() const {
  return weights_are_activations ? 0 : elements(Tensor::weights);
}

std::int64_t Layer::elements(Tensor tensor) const {
  switch (tensor) {
    case Tensor::input:
      return N * G * C * input_d * input_h * input_w;
    case Tensor::weights:
      return is_memory_bound() ? 0 : G * K * C * T * R * S;
    case Tensor::output:
      return N * G * K * D * P * Q;
  }
  return 0;
}

std::int32_t Layer::bits(Tensor tensor) const {
  switch (tensor) {
    case Tensor::input:
      return input_bits;
    case Tensor::weights:
      return weight_bits;
    case Tensor::output:
      return output_bits;
  }
  return 0;
}

Bytes Layer::footprint(Tensor tensor) const {
  return {ceil_div(elements(tensor) * bits(tensor), 8)};
}

std::vector<std::string> problems_in(const Layer& layer) {
  std::vector<std::string> problems;
  constexpr std::int64_t most_extent = std::int64_t{1} << 40;
  const auto in_range = [&](const char* name, std::int64_t value, std::int64_t least) {
    if (value < least)
      problems.push_back(std::string(name) + " = " + std::to_string(value) + ": must be at least " +
                         std::to_string(least));
    if (value > most_extent)
      problems.push_back(std::string(name) + " = " + std::to_string(value) + ": must be at most " +
                         std::to_string(most_extent));
  };
  in_range("N", layer.N, 1);
  in_range("G", layer.G, 1);
  in_range("K", layer.K, 1);
  in_range("C", layer.C, 1);
  in_range("D", layer.D, 1);
  in_range("P", layer.P, 1);
  in_range("Q", layer.Q, 1);
  in_range("T", layer.T, 1);
  in_range("R", layer.R, 1);
  in_range("S", layer.S, 1);
  in_range("stride_d", layer.stride_d, 1);
  in_range("stride_h", layer.stride_h, 1);
  in_range("stride_w", layer.stride_w, 1);
  in_range("dilation_d", layer.dilation_d, 1);
  in_range("dilation_h", layer.dilation_h, 1);
  in_range("dilation_w", layer.dilation_w, 1);
  in_range("input_d", layer.input_d, 1);
  in_range("input_h", layer.input_h, 1);
  in_range("input_w", layer.input_w, 1);
  in_range("pad_front", layer.pad_front, 0);
  in_range("pad_back", layer.pad_back, 0);
  in_range("pad_top", layer.pad_top, 0);
  in_range("pad_bottom", layer.pad_bottom, 0);
  in_range("pad_left", layer.pad_left, 0);
  in_range("pad_right", layer.pad_right, 0);
  in_range("input_bits", layer.input_bits, 1);
  in_range("weight_bits", layer.weight_bits, 1);
  in_range("output_bits", layer.output_bits, 1);
  in_range("partial_sum_bits", layer.partial_sum_bits, 1);
  if (!problems.empty()) return problems;
  if (work_of(layer) > kMostWork) {
    problems.push_back("is too large: multiply-accumulates and input words may be 10^15 at most");
    return problems;
  }

  // The loop's extent follows from the tensor the window slides over.
  const auto matches = [&](const char* output, std::int64_t out, const char* input, std::int64_t in,
                           std::int64_t padding, std::int64_t window, std::int64_t dilation,
                           std::int64_t stride) {
    const char* name = layer.transposed ? input : output;
    const std::int64_t stated = layer.transposed ? in : out;
    const std::int64_t implied =
        output_extent(layer.transposed ? out : in, padding, window, dilation, stride);
    if (stated != implied)
      problems.push_back(std::string(name) + " = " + std::to_string(stated) + ": " +
                         (layer.transposed ? "output" : "input") +
                         ", window, stride and padding give " + std::to_string(implied));
  };
  matches("D", layer.D, "input_d", layer.input_d, layer.pad_front + layer.pad_back, layer.T,
          layer.dilation_d, layer.stride_d);
  matches("P", layer.P, "input_h", layer.input_h, layer.pad_top + layer.pad_bottom, layer.R,
          layer.dilation_h, layer.stride_h);
  matches("Q", layer.Q, "input_w", layer.input_w, layer.pad_left + layer.pad_right, layer.S,
          layer.dilation_w, layer.stride_w);
  return problems;
}

std::string_view name_of(LayerKind kind) {
  switch (kind) {
    case LayerKind::convolution:
      return "convolution";
    case LayerKind::gemm:
      return "gemm";
    case LayerKind::pooling:
      return "pooling";
    case LayerKind::elementwise:
      return "elementwise";
    case LayerKind::softmax:
      return "softmax";
    case LayerKind::normalisation:
      return "normalisation";
  }
  return "";
}

std::string_view name_of(Tensor tensor) {
  switch (tensor) {
    case Tensor::input:
      return "input";
    case Tensor::weights:
      return "weights";
    case Tensor::output:
      return "output";
  }
  return "";
}

std::string describe(const Layer& layer) {
  const bool has_depth = layer.D > 1 || layer.T > 1 || layer.input_d > 1;
  // A number for each axis, or one where all are the same.
  const auto along_axes = [&](std::int64_t d, std::int64_t h, std::int64_t w) {
    if (h == w && (!has_depth || d == h)) return std::to_string(h);
    return (has_depth ? std::to_string(d) + "x" : "") + std::to_string(h) + "x" + std::to_string(w);
  };
  const auto extents = [&](std::int64_t d, std::int64_t h, std::int64_t w) {
    return (has_depth ? std::to_string(d) + "x" : "") + std::to_string(h) + "x" + std::to_string(w);
  };
  std::string text(layer.is_depthwise() ? "depthwise" : name_of(layer.kind));
  if (layer.transposed) text = "transposed " + text;
  text += " " + std::to_string(layer.K * layer.G) + "x" + std::to_string(layer.C) + "x" +
          extents(layer.T, layer.R, layer.S);
  if (layer.G > 1 && !layer.is_depthwise()) text += " groups " + std::to_string(layer.G);
  if (layer.stride_d > 1 || layer.stride_h > 1 || layer.stride_w > 1)
    text += " /" + along_axes(layer.stride_d, layer.stride_h, layer.stride_w);
  if (layer.dilation_d > 1 || layer.dilation_h > 1 || layer.dilation_w > 1)
    text += " dilation " + along_axes(layer.dilation_d, layer.dilation_h, layer.dilation_w);
  return text + " -> " + extents(layer.D, layer.P, layer.Q);
}

std::uint64_t hash_of(const Layer& layer) {
  std::uint64_t hash = 14695981039346656037ULL;
  const auto mix = [&](std::int64_t value) {
    // splitmix64's finaliser spreads small integers over all bits.
    std::uint64_t x = hash ^ (static_cast<std::uint64_t>(value) + 0x9E3779B97F4A7C15ULL);
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    hash = x ^ (x >> 31);
  };
  for (const std::int64_t value : {static_cast<std::int64_t>(layer.kind),
                                   layer.N,
                                   layer.G,
                                   layer.K,
                                   layer.C,
                                   layer.D,
                                   layer.P,
                                   layer.Q,
                                   layer.T,
                                   layer.R,
                                   layer.S,
                                   layer.stride_d,
                                   layer.stride_h,
                                   layer.stride_w,
                                   layer.dilation_d,
                                   layer.dilation_h,
                                   layer.dilation_w,
                                   layer.input_d,
                                   layer.input_h,
                                   layer.input_w,
                                   layer.pad_front,
                                   layer.pad_back,
                                   layer.pad_top,
                                   layer.pad_bottom,
                                   layer.pad_left,
                                   layer.pad_right,
                                   std::int64_t{layer.input_bits},
                                   std::int64_t{layer.weight_bits},
                                   std::int64_t{layer.output_bits},
                                   std::int64_t{layer.partial_sum_bits},
                                   std::int64_t{layer.transposed},
                                   std::int64_t{layer.weights_are_activations}})
    mix(value);
  return hash;
}

Layer convolution(const ConvolutionShape& shape) {
  Layer layer = window_of(shape, "convolution");
  layer.input_d = shape.depth;
  layer.input_h = shape.height;
  layer.input_w = shape.width;
  layer.D = output_extent(shape.depth, 2 * shape.pad_d, layer.T, layer.dilation_d, layer.stride_d);
  layer.P = output_extent(shape.height, 2 * shape.pad_h, layer.R, layer.dilation_h, layer.stride_h);
  layer.Q = output_extent(shape.width, 2 * shape.pad_w, layer.S, layer.dilation_w, layer.stride_w);
  if (const auto problems = problems_in(layer); !problems.empty())
    throw UserError("convolution: " + problems.front());
  return layer;
}

Layer transposed_convolution(const ConvolutionShape& shape, const OutputPadding& output_padding) {
  Layer layer = window_of(shape, "transposed convolution");
  layer.transposed = true;
  layer.input_d = shape.depth;
  layer.input_h = shape.height;
  layer.input_w = shape.width;
  const auto extent = [](std::int64_t input, std::int64_t pad, std::int64_t window,
                         std::int64_t dilation, std::int64_t stride, std::int64_t more) {
    if (more < 0 || more >= stride)
      throw UserError("transposed convolution: output padding " + std::to_string(more) +
                      ": must be in [0, " + std::to_string(stride - 1) + "], below the stride");
    return (input - 1) * stride - 2 * pad + dilation * (window - 1) + 1 + more;
  };
  layer.D =
      extent(shape.depth, shape.pad_d, layer.T, layer.dilation_d, layer.stride_d, output_padding.d);
  layer.P = extent(shape.height, shape.pad_h, layer.R, layer.dilation_h, layer.stride_h,
                   output_padding.h);
  layer.Q =
      extent(shape.width, shape.pad_w, layer.S, layer.dilation_w, layer.stride_w, output_padding.w);
  if (const auto problems = problems_in(layer); !problems.empty())
    throw UserError("transposed convolution: " + problems.front());
  return layer;
}

Layer same_convolution(std::int64_t in_channels, std::int64_t out_channels, std::int64_t height,
                       std::int64_t width, std::int64_t kernel, std::int64_t stride,
                       std::int64_t groups) {
  return convolution({.in_channels = in_channels,
                      .out_channels = out_channels,
                      .height = height,
                      .width = width,
                      .kernel_h = kernel,
                      .kernel_w = kernel,
                      .stride = stride,
                      .pad_h = kernel / 2,
                      .pad_w = kernel / 2,
                      .groups = groups});
}

Layer fully_connected(std::int64_t in_features, std::int64_t out_features, std::int64_t batch) {
  return convolution({.in_channels = in_features, .out_channels = out_features, .batch = batch});
}

Layer gemm(std::int64_t rows, std::int64_t columns, std::int64_t depth, std::int64_t batches,
           bool weights_are_activations) {
  Layer layer;
  layer.kind = LayerKind::gemm;
  layer.G = batches;
  layer.K = columns;
  layer.C = depth;
  layer.P = layer.input_h = rows;
  layer.weights_are_activations = weights_are_activations;
  return layer;
}

Layer attention_scores(const AttentionShape& shape) {
  return gemm(shape.rows * heads_per_kv_head(shape), shape.context, shape.head_depth,
              shape.batch * shape.kv_heads, /*weights_are_activations=*/true);
}

Layer attention_values(const AttentionShape& shape) {
  return gemm(shape.rows * heads_per_kv_head(shape), shape.head_depth, shape.context,
              shape.batch * shape.kv_heads, /*weights_are_activations=*/true);
}

Layer pooling(std::int64_t channels, std::int64_t height, std::int64_t width, std::int64_t window,
              std::int64_t stride, std::int64_t pad) {
  Layer layer = convolution({.in_channels = channels,
                             .out_channels = channels,
                             .height = height,
                             .width = width,
                             .kernel_h = window,
                             .kernel_w = window,
                             .stride = stride,
                             .pad_h = pad,
                             .pad_w = pad,
                             .groups = channels});
  layer.kind = LayerKind::pooling;
  return layer;
}

Layer pooling_rounding_up(std::int64_t channels, std::int64_t height, std::int64_t width,
                          std::int64_t window, std::int64_t stride) {
  Layer layer = pooling(channels, height, width, window, stride);
  layer.P = ceil_div(height - window, stride) + 1;
  layer.Q = ceil_div(width - window, stride) + 1;
  layer.pad_bottom = (layer.P - 1) * stride + window - height;
  layer.pad_right = (layer.Q - 1) * stride + window - width;
  return layer;
}

Layer elementwise(std::int64_t channels, std::int64_t height, std::int64_t width,
                  std::int64_t operands) {
  Layer layer = memory_bound(LayerKind::elementwise, channels, height, width);
  layer.C = operands;
  return layer;
}

Layer softmax(std::int64_t rows, std::int64_t length) {
  return memory_bound(LayerKind::softmax, rows, length, 1);
}

Layer normalisation(std::int64_t rows, std::int64_t length) {
  return memory_bound(LayerKind::normalisation, rows, length, 1);
}

}  // namespace cosearch
