// The orders of one level's temporal loops that can differ in cost.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "accel/link_costs.h"
#include "accel/map_space.h"

namespace cosearch::accel {

/// Of one level, at most. Each loop innermost, twice with Timeloop's accounting; next to the one
/// that leaves the windowed tensor in place (K, or C where the layer is transposed) each of the
/// others, twice likewise; where visits may pay, runs of C, T, R and S cut short: 4 * 8.
inline constexpr std::size_t kMostOrders = 4 * kDimensions + 32;

struct LoopOrderChoice {
  std::array<Dimension, kDimensions> innermost_first{};
  std::size_t count = 0;
  OrderClass order_class;
};

/// The class of an order of one level's temporal loops, which cut by `temporal`.
[[nodiscard]] OrderClass order_class(const LoopOrderChoice& order, const Extents& temporal,
                                     bool transposed);

/// One order of each class, given the level's temporal factors. A tensor's traffic depends on the
/// loops that do not move it inside the innermost one that does, and a windowed tensor's on which
/// loop that is. Each loop leaves at most one tensor in place, so the innermost loop says which
/// tensor stays; all other loops that leave it in place are best next to it.
void loop_orders(const MapSpace& space, const LinkCosts& costs, std::size_t level,
                 const Extents& temporal, std::vector<LoopOrderChoice>& orders);

/// Of these, the ones under which no other moves less over every link: all that can be best,
/// whatever the other levels' orders. Orders that move the same are represented by one.
void distinct_orders(const MapSpace& space, const LinkCosts& costs, const LinkCosts::Tiling& tiling,
                     std::size_t level, std::vector<LoopOrderChoice>& orders);

}  // namespace cosearch::accel
