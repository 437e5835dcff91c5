// The tiles that the outermost level on the chip can hold, cheapest first: a list that the optimal
// mapper makes once and reads from many partial mappings.
#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "accel/divisor_keys.h"
#include "accel/link_costs.h"
#include "accel/map_space.h"

namespace cosearch::accel {

struct OuterTile {
  DivisorIndices tile{};
  LinkCosts::Visits visits{};  ///< by the loops of level 0
  LinkCosts::Bound least;      ///< of the links into level 1 alone
};

class OuterTiles {
 public:
  /// What the links into level 1 cost, and so the list, depends on nothing else.
  struct Key {
    TensorSet keep;                ///< of level 1
    bool sums_outputs = false;     ///< no level further in keeps them
    std::vector<Extents> factors;  ///< of level 0's fan-outs, by group
    Extents padded{};              ///< what all factors together make of the dimensions
    friend bool operator==(const Key&, const Key&) = default;
  };
  [[nodiscard]] static Key key_of(const MapSpace& space, const std::vector<TensorSet>& keep,
                                  const SpatialChoice& spatial);

  OuterTiles(const MapSpace& space, const TileSizes& sizes, const LinkCosts& costs, Key key);

  [[nodiscard]] const Key& key() const { return key_; }
  [[nodiscard]] std::size_t size() const { return tiles_.size(); }
  [[nodiscard]] const OuterTile& operator[](std::size_t i) const { return tiles_[i]; }
  /// What any of them costs at least; nothing where there is none.
  [[nodiscard]] const LinkCosts::Bound& least() const { return least_; }

  /// Tiles before the first that does not satisfy `test`, which no later one may satisfy.
  template <class Test>
  [[nodiscard]] std::size_t count_while(const Test& test) const {
    return static_cast<std::size_t>(std::partition_point(tiles_.begin(), tiles_.end(), test) -
                                    tiles_.begin());
  }

  /// Tiles of the list that are multiples of one tile, as far as they have been looked for.
  struct Multiples {
    std::uint64_t key = 0;
    std::vector<std::uint32_t> found;
    std::size_t looked_at = 0;
  };
  [[nodiscard]] Multiples& multiples_of(const DivisorIndices& tile);
  /// Place of the n-th multiple in the list; size() when there is none. Those before it must have
  /// been asked for. A few may be no multiples: see DivisorKeys.
  [[nodiscard]] std::size_t nth(Multiples& multiples, std::size_t n) const;

 private:
  void add(std::size_t position, OuterTile& tile, const LinkCosts::Visits& visits);

  const MapSpace& space_;
  const TileSizes& sizes_;
  const LinkCosts* costs_;  ///< while the list is made
  Key key_;
  DivisorKeys keys_;
  Extents spread_{};
  std::vector<OuterTile> tiles_;
  std::vector<std::uint64_t> tile_keys_;
  std::unordered_map<std::uint64_t, Multiples> multiples_;
  LinkCosts::Bound least_;
};

}  // namespace cosearch::accel
