// Chooses the mapping of a layer on a machine: the seam behind which mappers of any kind stand.
#pragma once

#include <variant>

#include "accel/accelerator.h"
#include "accel/infeasible.h"
#include "accel/mapping.h"
#include "core/layer.h"

namespace cosearch::accel {

/// Stateless: `map` is const, safe to call from several threads, and depends on its arguments only.
class Mapper {
 public:
  virtual ~Mapper() = default;

  /// A mapping whose tiles fit the machine, or which buffer is too small and by how much.
  /// Requires a layer of multiply-accumulates: memory-bound layers have no mapping (see
  /// accel/vector_layer.h).
  [[nodiscard]] virtual std::variant<Infeasible, Mapping> map(
      const Layer& layer, const Accelerator& accelerator) const = 0;
};

/// Follows the accelerator's template: unrolling and loop order over the array are the template's;
/// the shared tile is one of least DRAM traffic among powers of two (times the unrolling) and whole
/// extents; the PE tile grows greedily while that lessens traffic between shared buffer and array.
/// Of the smallest and the largest such shared tile the faster is taken, unless it costs more than
/// 5 % more energy.
///
/// The choice of shared tile looks neither at the PE buffer nor at any bandwidth, and energy
/// depends on no bandwidth: so a larger buffer never costs DRAM traffic, and more bandwidth never
/// costs cycles.
class TemplateMapper final : public Mapper {
 public:
  [[nodiscard]] std::variant<Infeasible, Mapping> map(
      const Layer& layer, const Accelerator& accelerator) const override;
};

}  // namespace cosearch::accel
