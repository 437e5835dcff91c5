// A design is one network on one accelerator, named by their places in the design space.
#pragma once

#include <compare>
#include <cstdint>

namespace cosearch::codesign {

/// In place of an accelerator: only the network is asked about (accuracy, MACs, parameters), and
/// no hardware evaluation is spent.
inline constexpr std::uint32_t kNoAccelerator = 0xffffffff;

struct Design {
  std::uint32_t network = 0;
  std::uint32_t accelerator = kNoAccelerator;

  [[nodiscard]] constexpr bool has_accelerator() const { return accelerator != kNoAccelerator; }

  friend constexpr auto operator<=>(const Design&, const Design&) = default;
};

}  // namespace cosearch::codesign
