// The loops of a layer's nest, and which of them move which tensor.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/layer.h"

namespace cosearch::accel {

/// As in core/layer.h. D, P and Q are the positions of the window: outputs, or inputs where the
/// layer is transposed; T, R and S are its taps.
enum class Dimension : std::uint8_t { N, G, K, C, D, P, Q, T, R, S };
inline constexpr std::size_t kDimensions = 10;
inline constexpr std::array kAllDimensions{Dimension::N, Dimension::G, Dimension::K, Dimension::C,
                                           Dimension::D, Dimension::P, Dimension::Q, Dimension::T,
                                           Dimension::R, Dimension::S};

using Extents = std::array<std::int64_t, kDimensions>;
using LoopOrder = std::array<Dimension, kDimensions>;

constexpr std::size_t index_of(Dimension d) { return static_cast<std::size_t>(d); }
constexpr std::size_t index_of(Tensor t) { return static_cast<std::size_t>(t); }

[[nodiscard]] std::string_view name_of(Dimension d);

/// A set of dimensions: bit index_of(d) is set for each.
using DimensionMask = std::uint16_t;
constexpr DimensionMask mask_of(Dimension d) {
  return static_cast<DimensionMask>(1U << index_of(d));
}

/// Loop bounds of `layer`.
[[nodiscard]] Extents extents_of(const Layer& layer);

/// The tensor whose words a window of D, P, Q positions and T, R, S taps selects.
[[nodiscard]] constexpr Tensor windowed_tensor(bool transposed) {
  return transposed ? Tensor::output : Tensor::input;
}

/// Whether moving along `d` changes which words of `tensor` are used: all loops but K move the
/// input, all but N, D, P, Q the weights, all but C, T, R, S the output; transposed, the taps move
/// the output and not the input.
[[nodiscard]] constexpr bool is_relevant(Tensor tensor, Dimension d, bool transposed = false) {
  using enum Dimension;
  const bool is_tap = d == T || d == R || d == S;
  switch (tensor) {
    case Tensor::input:
      return d != K && !(transposed && is_tap);
    case Tensor::weights:
      return d != N && d != D && d != P && d != Q;
    case Tensor::output:
      return d != C && (transposed || !is_tap);
  }
  return false;
}

/// All dimensions that are relevant.
[[nodiscard]] constexpr DimensionMask relevant_dimensions(Tensor tensor, bool transposed) {
  constexpr auto masks = [] {
    std::array<std::array<DimensionMask, 3>, 2> masks{};
    for (const bool is_transposed : {false, true})
      for (const Tensor t : kTensors)
        for (const Dimension d : kAllDimensions)
          if (is_relevant(t, d, is_transposed)) masks[is_transposed][index_of(t)] |= mask_of(d);
    return masks;
  }();
  return masks[transposed][index_of(tensor)];
}

/// Calls visit(index of d) for each dimension of `mask`.
template <class Visit>
constexpr void for_each_dimension(DimensionMask mask, const Visit& visit) {
  for (; mask != 0; mask &= static_cast<DimensionMask>(mask - 1))
    visit(static_cast<std::size_t>(std::countr_zero(mask)));
}

}  // namespace cosearch::accel
