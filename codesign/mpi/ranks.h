// Layer costs spread over the ranks of an MPI job. Rank 0 searches and stores; it hands every rank,
// itself included, its share of the layers of a batch. What a search finds cannot depend on the
// number of ranks: outcomes land in the slots of their tasks, and only rank 0 does anything else.
#pragma once

#include <span>

#include "codesign/layer_coster.h"

namespace cosearch::codesign {

/// MPI from construction to destruction; once in a process.
class MpiJob {
 public:
  MpiJob();
  MpiJob(const MpiJob&) = delete;
  MpiJob& operator=(const MpiJob&) = delete;
  ~MpiJob();

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  /// The lowest rank that comes with `failed`; size() where none does. Every rank calls it.
  [[nodiscard]] int first_failed(bool failed) const;

 private:
  int rank_ = 0, size_ = 1;
};

/// Used by rank 0; destroyed, it sends the other ranks home.
class MpiLayerCoster final : public LayerCoster {
 public:
  /// Keeps references, which must outlive it. `local` costs the share of this rank.
  MpiLayerCoster(const MpiJob& job, LayerCoster& local) : job_(job), local_(local) {}
  MpiLayerCoster(const MpiLayerCoster&) = delete;
  MpiLayerCoster& operator=(const MpiLayerCoster&) = delete;
  ~MpiLayerCoster() override;

  void cost(std::span<const LayerTask> tasks, std::span<LayerOutcome> outcomes) override;

 private:
  const MpiJob& job_;
  LayerCoster& local_;
};

/// What the other ranks do until rank 0 sends them home. An exception of `local` ends the whole job
/// with its message: rank 0's journal holds what was found.
void serve_layer_costs(const MpiJob& job, LayerCoster& local);

}  // namespace cosearch::codesign
