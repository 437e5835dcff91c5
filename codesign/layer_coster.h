// Costs of layers on accelerators, many at a time: the part of an evaluation that takes long, and
// so the seam at which it is spread over threads and machines.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "codesign/joint_space.h"
#include "codesign/workers.h"

namespace cosearch::codesign {

struct LayerTask {
  std::uint32_t accelerator = 0;
  LayerId layer = 0;
};

struct LayerOutcome {
  std::int64_t cycles = 0;
  double energy_pj = 0;
  std::string failure;  ///< why it cannot run; empty where it does
};

class LayerCoster {
 public:
  virtual ~LayerCoster() = default;
  /// Fills `outcomes`, slot by slot those of `tasks`.
  virtual void cost(std::span<const LayerTask> tasks, std::span<LayerOutcome> outcomes) = 0;
};

/// On the threads of this process.
class LocalLayerCoster final : public LayerCoster {
 public:
  /// Keeps references to both, which must outlive it.
  LocalLayerCoster(const JointSpace& space, Workers& workers) : space_(space), workers_(workers) {}
  void cost(std::span<const LayerTask> tasks, std::span<LayerOutcome> outcomes) override;

 private:
  const JointSpace& space_;
  Workers& workers_;
};

}  // namespace cosearch::codesign
