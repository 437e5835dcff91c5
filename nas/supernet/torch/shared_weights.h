// The weights of all networks of a space. Two networks share those of a step that both have: the
// same name (which says where it stands) and operation, and weights of the same shape or a part of
// the same larger ones.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "nas/space.h"
#include "nas/supernet/supernet.h"
#include "nas/supernet/torch/tensor_map.h"
#include "nas/training/recipe.h"
#include "nas/training/torch/blueprint_network.h"

namespace cosearch::nas {

/// Which weights a step has; empty for a step without.
[[nodiscard]] std::string weights_key(const Step& step);

/// The steps of which others take a part of the weights.
class WholeSteps {
 public:
  /// None: each step has weights of its own shape.
  WholeSteps() = default;
  /// Those of the largest network, where `sharing` says so.
  WholeSteps(const NetworkSpace& space, WeightSharing sharing);

  /// The step whose weights `step` takes a part of: one with room for them, or itself.
  [[nodiscard]] const Step& of(const Step& step) const;

 private:
  std::map<std::string, Step> steps_;  ///< by name
};

/// Modules with the weights that `trained` holds for the step of `whole`; where it holds none,
/// drawn for (seed, step), in whichever order networks ask for them. Throws c10::Error for weights
/// of others.
[[nodiscard]] StepModules inherited_modules(const Step& step, const WholeSteps& whole,
                                            std::uint64_t seed, const TensorMap& trained);

/// Weights in training. Modules are made when the first network needs them: a space may have more
/// networks than can be walked through.
class SharedWeights {
 public:
  /// `state`: what `state` gave, or empty.
  SharedWeights(const TrainingRecipe& recipe, std::uint64_t seed, TensorMap state,
                WholeSteps whole = {});

  /// One entry per step of `blueprint`, held by later networks too.
  [[nodiscard]] std::vector<StepModules> modules_of(const Blueprint& blueprint);

  /// One step of the recipe's optimiser for the weights of all networks asked for since the last
  /// one; the others stay as they are, momentum included. Of whole weights that only parts were
  /// asked of, the rest moves too, by decay and momentum.
  void step(double learning_rate);

  [[nodiscard]] bool are_finite() const;

  /// Weights and what the optimiser keeps beside them, by key.
  [[nodiscard]] TensorMap state() const;

 private:
  struct Entry {
    StepModules modules;
    std::unique_ptr<torch::optim::Optimizer> optimiser;
  };

  [[nodiscard]] Entry made(const Step& step, const std::string& key) const;

  TrainingRecipe recipe_;
  std::uint64_t seed_;
  WholeSteps whole_;
  TensorMap saved_;  // of entries that no network has asked for yet, and of older states of others
  std::map<std::string, Entry> entries_;
  std::set<std::string> active_;
};

}  // namespace cosearch::nas
