#include "codesign/search/strategy.h"

#include <limits>

namespace cosearch::codesign {

std::optional<std::uint32_t> DesignSpace::crossover(std::uint32_t /*first*/,
                                                    std::uint32_t /*second*/,
                                                    Random& /*random*/) const {
  return std::nullopt;
}

std::vector<std::string> DesignSpace::score_names() const { return {}; }

double DesignSpace::score(std::uint32_t /*network*/, std::size_t /*which*/) const {
  return std::numeric_limits<double>::quiet_NaN();
}

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
