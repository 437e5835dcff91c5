#include "nas/supernet/extreme_networks.h"

#include <cstdint>
#include <utility>

namespace cosearch::nas {
namespace {

using Size = std::pair<std::int64_t, std::int64_t>;

template <class IsBetter>
std::string climb(const NetworkSpace& space, IsBetter is_better) {
  const auto size_of = [&](const std::string& genotype) {
    const Network network = space.lower(genotype);
    return Size{network.macs(), network.parameters()};
  };
  Random random(/*seed=*/0, "extreme networks");
  std::string best = space.sample(random);
  Size best_size = size_of(best);
  for (bool has_moved = true; has_moved;) {
    has_moved = false;
    for (const std::string& neighbour : space.neighbours(best)) {
      const Size size = size_of(neighbour);
      if (!is_better(size, best_size)) continue;
      best = neighbour;
      best_size = size;
      has_moved = true;
    }
  }
  return best;
}

}  // namespace

std::string largest_network(const NetworkSpace& space) {
  return climb(space, [](const Size& a, const Size& b) { return a > b; });
}

std::string smallest_network(const NetworkSpace& space) {
  return climb(space, [](const Size& a, const Size& b) { return a < b; });
}

}  // namespace cosearch::nas
