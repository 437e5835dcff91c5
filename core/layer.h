// A layer is one loop nest with its shapes: what a network asks and an accelerator must do.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/quantity.h"

namespace cosearch {

enum class LayerKind : std::uint8_t {
  convolution,    // also fully connected: P = Q = R = S = 1
  gemm,           // G batches of (P x C) * (C x K); R = S = Q = 1
  pooling,        // G channels, K = C = 1, window R x S; no multiplications
  elementwise,    // G channels, K = 1, C operands (2 for a residual add)
  softmax,        // G rows of P elements, K = C = 1
  normalisation,  // like softmax: statistics over, and scaling of, every element
};

enum class Tensor : std::uint8_t { input, weights, output };
inline constexpr std::array kTensors{Tensor::input, Tensor::weights, Tensor::output};

/// One loop nest: for n, g, k, c, d, p, q, t, r, s:
///   output[n][g][k][d][p][q] += input[n][g][c][..][p*stride + r*dilation - pad][..] *
///   weights[g][k][c][t][r][s].
/// K and C are PER GROUP; a depthwise convolution has G = channels, K = C = 1. D and T are the
/// depth of output and window in 3-D convolutions; a 1-D convolution has one of the planes'
/// sides 1.
///
/// A transposed convolution runs over input positions and spreads each over a window of the output:
///   output[n][g][k][..][h*stride + r*dilation - pad][..] += input[n][g][c][..][h][..] * weights...
/// P, Q and D are the output's extents there too; `extent_h()` says over what the loop runs.
struct Layer {
  LayerKind kind = LayerKind::convolution;
  std::int64_t N = 1, G = 1, K = 1, C = 1, D = 1, P = 1, Q = 1, T = 1, R = 1, S = 1;
  std::int64_t stride_d = 1, stride_h = 1, stride_w = 1;
  std::int64_t dilation_d = 1, dilation_h = 1, dilation_w = 1;
  /// Extent of the input tensor as stored, without padding.
  std::int64_t input_d = 1, input_h = 1, input_w = 1;
  std::int64_t pad_front = 0, pad_back = 0;
  std::int64_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;
  std::int32_t input_bits = 8, weight_bits = 8, output_bits = 8;
  /// Width of an output whose sum is not complete.
  std::int32_t partial_sum_bits = 32;
  /// The window slides over the output instead of the input.
  bool transposed = false;
  /// True when the "weights" are another activation (attention): they are no parameters.
  bool weights_are_activations = false;

  friend bool operator==(const Layer&, const Layer&) = default;

  [[nodiscard]] bool is_memory_bound() const {
    return kind != LayerKind::convolution && kind != LayerKind::gemm;
  }
  [[nodiscard]] bool is_depthwise() const {
    return kind == LayerKind::convolution && G > 1 && K == 1 && C == 1;
  }

  /// Positions of the window along depth, height and width: the bounds of the loops d, p and q.
  [[nodiscard]] std::int64_t extent_d() const { return transposed ? input_d : D; }
  [[nodiscard]] std::int64_t extent_h() const { return transposed ? input_h : P; }
  [[nodiscard]] std::int64_t extent_w() const { return transposed ? input_w : Q; }

  /// Iterations of the loop nest; multiplications by padding zeros count, as is usual.
  [[nodiscard]] std::int64_t operations() const {
    return N * G * K * C * extent_d() * extent_h() * extent_w() * T * R * S;
  }
  /// Multiply-accumulates: `operations()`, or 0 for memory-bound layers.
  [[nodiscard]] std::int64_t macs() const { return is_memory_bound() ? 0 : operations(); }
  /// Trained numbers in this layer's weight tensor (biases and batch-norm are the network's).
  [[nodiscard]] std::int64_t parameters() const;

  /// Elements of the whole tensor, exactly: padding is not stored.
  [[nodiscard]] std::int64_t elements(Tensor tensor) const;
  [[nodiscard]] std::int32_t bits(Tensor tensor) const;
  /// Size of the tensor, rounded up to whole bytes.
  [[nodiscard]] Bytes footprint(Tensor tensor) const;
};

/// Everything wrong with `layer` in the user's words: extents below 1 or beyond reason, or an
/// output extent that is not floor((input + padding - dilation*(window-1) - 1) / stride) + 1, nor,
/// transposed, an extent of which that would be the input. Empty when valid.
[[nodiscard]] std::vector<std::string> problems_in(const Layer& layer);

/// Multiply-accumulates, or words of a tensor, that a layer may have at most, all its repetitions
/// in a network together: sums of counts and cycles then stay far from overflow.
inline constexpr double kMostWork = 1e15;

[[nodiscard]] std::string_view name_of(LayerKind kind);
[[nodiscard]] std::string_view name_of(Tensor tensor);

/// One line for people: "convolution 64x3x7x7 /2 -> 112x112", with the depth first in 3-D.
[[nodiscard]] std::string describe(const Layer& layer);

/// A hash of the shape, the same on every platform and run.
[[nodiscard]] std::uint64_t hash_of(const Layer& layer);

struct LayerHash {
  std::size_t operator()(const Layer& layer) const { return hash_of(layer); }
};

/// A convolution in the words of the training frameworks (channels in all, not per group).
struct ConvolutionShape {
  std::int64_t in_channels = 1, out_channels = 1;
  std::int64_t height = 1, width = 1;  ///< of the input, without padding
  std::int64_t kernel_h = 1, kernel_w = 1;
  std::int64_t stride = 1;
  std::int64_t pad_h = 0, pad_w = 0;  ///< on each side
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
  std::int64_t batch = 1;
  /// Of 3-D convolutions.
  std::int64_t depth = 1, kernel_d = 1, stride_d = 1, pad_d = 0, dilation_d = 1;
  /// Where they are not those above.
  std::optional<std::int64_t> stride_h = {}, stride_w = {}, dilation_h = {}, dilation_w = {};
};

/// Throws UserError when channels do not divide by groups or the window exceeds the padded input.
[[nodiscard]] Layer convolution(const ConvolutionShape& shape);

/// Rows, columns and planes that a transposed convolution's output has beyond those of the smallest
/// input that reaches it (several outputs convolve to one input where the stride is above 1).
struct OutputPadding {
  std::int64_t d = 0, h = 0, w = 0;
};

/// Output extent (input - 1)*stride - 2*pad + dilation*(kernel - 1) + 1 + output padding, as in the
/// training frameworks. Throws UserError when channels do not divide by groups, nothing of the
/// output is left, or the output padding is a stride or more.
[[nodiscard]] Layer transposed_convolution(const ConvolutionShape& shape,
                                           const OutputPadding& output_padding = {});

/// Square kernel, "same" padding for odd kernels: output extent ceil(input / stride).
[[nodiscard]] Layer same_convolution(std::int64_t in_channels, std::int64_t out_channels,
                                     std::int64_t height, std::int64_t width, std::int64_t kernel,
                                     std::int64_t stride = 1, std::int64_t groups = 1);

[[nodiscard]] Layer fully_connected(std::int64_t in_features, std::int64_t out_features,
                                    std::int64_t batch = 1);

/// `batches` products of (rows x depth) * (depth x columns).
[[nodiscard]] Layer gemm(std::int64_t rows, std::int64_t columns, std::int64_t depth,
                         std::int64_t batches = 1, bool weights_are_activations = false);

/// The two products of attention: `heads` queries of `head_depth` for each of `rows` tokens,
/// against keys and values of `context` tokens. In grouped-query attention `heads / kv_heads` heads
/// share the keys and values of one: their queries are rows of one product.
struct AttentionShape {
  std::int64_t rows = 1, context = 1, head_depth = 1;
  std::int64_t heads = 1, kv_heads = 1;
  std::int64_t batch = 1;
};

/// Queries times keys: every row's score of every token of the context, for each head. Throws
/// UserError when heads do not divide by kv_heads.
[[nodiscard]] Layer attention_scores(const AttentionShape& shape);
/// Scores times values: `head_depth` numbers for every row and head.
[[nodiscard]] Layer attention_values(const AttentionShape& shape);

/// Pooling over `window` x `window`, `pad` on each side.
[[nodiscard]] Layer pooling(std::int64_t channels, std::int64_t height, std::int64_t width,
                            std::int64_t window, std::int64_t stride, std::int64_t pad = 0);

/// Pooling that also keeps the last, incomplete window ("ceil mode").
[[nodiscard]] Layer pooling_rounding_up(std::int64_t channels, std::int64_t height,
                                        std::int64_t width, std::int64_t window,
                                        std::int64_t stride);

/// `operands` inputs of one shape into one output of it: 1 for an activation, 2 for an addition.
[[nodiscard]] Layer elementwise(std::int64_t channels, std::int64_t height, std::int64_t width,
                                std::int64_t operands);

/// `rows` independent vectors of `length`.
[[nodiscard]] Layer softmax(std::int64_t rows, std::int64_t length);
[[nodiscard]] Layer normalisation(std::int64_t rows, std::int64_t length);

}  // namespace cosearch
