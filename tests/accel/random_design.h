// Small random layers and machines of the templates: small enough to walk, odd enough to hit every
// edge.
#pragma once

#include <array>

#include "core/layer.h"
#include "core/random.h"
#include "tests/accel/support.h"

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

inline TemplateSizes random_sizes(Random& random) {
  TemplateSizes p;
  p.dataflow = kDataflows[random.below(kDataflows.size())];
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

}  // namespace cosearch::accel::test
