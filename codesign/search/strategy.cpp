#include "codesign/search/strategy.h"

namespace cosearch::codesign {

std::uint64_t design_count(const DesignSpace& space) {
  const std::uint64_t networks = space.network_count();
  return space.accelerator_count() == 0 ? networks : networks * space.accelerator_count();
}

Design design_at(const DesignSpace& space, std::uint64_t index) {
  const std::uint64_t accelerators = space.accelerator_count();
  if (accelerators == 0) return {static_cast<std::uint32_t>(index), kNoAccelerator};
  return {static_cast<std::uint32_t>(index / accelerators),
          static_cast<std::uint32_t>(index % accelerators)};
}

}  // namespace cosearch::codesign
