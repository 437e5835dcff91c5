// Small random layers, machines and mappings: small enough to walk, odd enough to hit every edge.
#pragma once

#include <algorithm>
#include <span>

#include "accel/accelerator.h"
#include "accel/mapping.h"
#include "core/layer.h"
#include "core/random.h"

namespace cosearch::accel::test {

inline std::int64_t between(Random& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}

/// A convolution (of any stride, dilation, padding and grouping) or a matrix product.
inline Layer random_layer(Random& random) {
  if (random.below(6) == 0)
    return gemm(between(random, 1, 7), between(random, 1, 6), between(random, 1, 6),
                between(random, 1, 2));
  ConvolutionShape shape;
  shape.groups = between(random, 1, 3);
  shape.in_channels = shape.groups * between(random, 1, 5);
  shape.out_channels = shape.groups * between(random, 1, 5);
  if (random.below(3) == 0) shape.in_channels = shape.out_channels = shape.groups;
  shape.kernel_h = between(random, 1, 3);
  shape.kernel_w = between(random, 1, 3);
  shape.stride = between(random, 1, 3);
  shape.dilation = between(random, 1, 2);
  shape.pad_h = between(random, 0, 2);
  shape.pad_w = between(random, 0, 2);
  shape.height = between(random, 5, 9);
  shape.width = between(random, 5, 9);
  shape.batch = between(random, 1, 2);
  return convolution(shape);
}

inline AcceleratorParameters random_parameters(Random& random) {
  AcceleratorParameters p;
  const auto names = template_names();
  p.template_name = names[random.below(names.size())];
  p.pe_rows = between(random, 1, 4);
  p.pe_columns = between(random, 1, 4);
  p.pe_buffer = {between(random, 40, 400)};
  p.shared_buffer = {between(random, 600, 6000)};
  p.noc_bandwidth = static_cast<double>(between(random, 1, 16));
  p.dram_bandwidth = static_cast<double>(between(random, 1, 16));
  constexpr std::array precisions{8, 16, 32};
  p.precision_bits = precisions[random.below(precisions.size())];
  return p;
}

inline LoopOrder random_order(Random& random) {
  using enum Dimension;
  LoopOrder order{N, G, K, C, D, P, Q, T, R, S};
  random.shuffle(std::span<Dimension>(order));
  return order;
}

/// Any mapping at all, sensible or not.
inline Mapping random_mapping(const Layer& layer, Random& random) {
  Mapping mapping;
  const Extents extents = extents_of(layer);
  for (std::size_t d = 0; d < kDimensions; ++d) {
    mapping.pe_tile[d] = between(random, 1, std::min<std::int64_t>(3, extents[d]));
    mapping.rows[d] = random.below(3) == 0 ? between(random, 1, 2) : 1;
    mapping.columns[d] = random.below(4) == 0 ? between(random, 1, 3) : 1;
    mapping.shared_tile[d] = between(random, 1, extents[d]);
  }
  mapping.array_order = random_order(random);
  mapping.dram_order = random_order(random);
  return mapping;
}

}  // namespace cosearch::accel::test
