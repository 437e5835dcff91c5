#include "predictors/registry.h"

#include <algorithm>

#include "core/user_error.h"
#include "predictors/boosted_trees.h"
#include "predictors/gaussian_process.h"
#include "predictors/neural/loader.h"
#include "predictors/ridge.h"

namespace cosearch::predictors {
namespace {

struct Name {
  std::string model;
  Loss loss;
};

Name split(const std::string& name) {
  const auto colon = name.find(':');
  if (colon == std::string::npos) return {name, Loss::squared};
  const std::string loss = name.substr(colon + 1);
  if (loss != "rank")
    throw UserError("predictor '" + name + "': unknown loss '" + loss + "'; expected 'rank'");
  return {name.substr(0, colon), Loss::pairwise};
}

}  // namespace

const std::vector<PredictorInfo>& predictors() {
  static const std::vector<PredictorInfo> kPredictors{
      {"ridge", "features", false, false, "linear, its penalty chosen by leave-one-out error"},
      {"xgboost", "features", true, false, "gradient-boosted trees"},
      {"gaussian-process", "features", false, false,
       "kernels on numbers, counts and indicators, weighed by marginal likelihood"},
      {"mlp", "features", true, true, "a perceptron with two hidden layers"},
      {"gcn", "graphs, features", true, true, "graph convolutions along edges and against them"},
      {"gat", "graphs, features", true, true, "the same with attention over neighbours (GATv2)"},
      {"transformer", "graphs, features", true, true, "self-attention, biased along edges"},
  };
  return kPredictors;
}

const PredictorInfo& find_predictor(const std::string& name) {
  const auto [model, loss] = split(name);
  const auto found = std::ranges::find(predictors(), model, &PredictorInfo::name);
  if (found == predictors().end()) {
    std::vector<std::string> known;
    for (const PredictorInfo& info : predictors()) known.push_back(info.name);
    throw UserError("unknown predictor '" + model + "'" + did_you_mean(model, known));
  }
  if (loss == Loss::pairwise && !found->ranks)
    throw UserError("predictor '" + model + "' has no ranking loss");
  return *found;
}

std::unique_ptr<Predictor> make_predictor(const std::string& name,
                                          const std::filesystem::path& module_folder) {
  const PredictorInfo& info = find_predictor(name);
  const Loss loss = split(name).loss;
  if (info.name == "ridge") return std::make_unique<Ridge>();
  if (info.name == "xgboost")
    return std::make_unique<BoostedTrees>(BoostedTreesOptions{.loss = loss});
  if (info.neural) return load_neural_predictor(info.name, loss, module_folder);
  return std::make_unique<GaussianProcess>();
}

}  // namespace cosearch::predictors
