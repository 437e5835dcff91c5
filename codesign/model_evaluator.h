// What a design costs by our own model: accuracy from the candidate, the rest from layer costs
// that are computed once per (layer, accelerator) and then only summed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "codesign/driver.h"
#include "codesign/joint_space.h"
#include "codesign/layer_coster.h"

namespace cosearch::codesign {

class ModelEvaluator : public Evaluator {
 public:
  /// Keeps references to both, which must outlive it.
  ModelEvaluator(const JointSpace& space, Workers& workers);
  ModelEvaluator(const ModelEvaluator&) = delete;
  ModelEvaluator& operator=(const ModelEvaluator&) = delete;

  /// Leaves the costs of layers to `coster`, which must outlive every later `prepare`.
  void use(LayerCoster& coster) { coster_ = &coster; }

  /// Costs, in parallel, the layers that the designs need and no earlier call has costed.
  [[nodiscard]] std::size_t prepare_some(std::span<const Design> designs) override;

  /// Requires that this design was prepared. Sums are taken in layer order, so equal for
  /// any number of threads.
  [[nodiscard]] Trial evaluate(Design design) const override;

  void recall(std::span<const Design> designs) override;
  /// The reasons of an earlier run keep their numbers.
  void recall_reasons(const std::vector<std::string>& reasons);

  [[nodiscard]] std::uint64_t layer_evaluations() const override { return layer_evaluations_; }

  /// Why designs cannot run, by Trial::reason; entry 0 is empty.
  [[nodiscard]] const std::vector<std::string>& reasons() const { return reasons_; }

 private:
  struct LayerEntry {
    std::int64_t cycles = 0;
    double energy_pj = 0;
    std::uint16_t reason = 0;
    bool known = false;
    bool counted = false;  // among the layer evaluations; in an earlier run perhaps
  };

  /// Of designs from the front on, until there are `most` tasks or more; sets `designs` to the
  /// rest.
  [[nodiscard]] std::vector<LayerTask> take_missing(std::span<const Design>& designs,
                                                    std::size_t most);
  void cost(std::span<const LayerTask> tasks);
  std::vector<LayerEntry>& row_of(std::uint32_t accelerator);
  std::uint16_t reason_number(const std::string& reason);

  const JointSpace& space_;
  LocalLayerCoster local_;
  LayerCoster* coster_ = &local_;
  std::vector<std::vector<LayerEntry>> costs_;  // [accelerator][layer]; rows filled on first use
  std::vector<double> area_mm2_;                // by accelerator
  std::vector<std::string> reasons_{""};
  std::map<std::string, std::uint16_t> reason_numbers_;
  std::uint64_t layer_evaluations_ = 0;
  std::size_t tasks_at_once_ = 64;  // so that costing them takes some hundredths of a second
};

}  // namespace cosearch::codesign
