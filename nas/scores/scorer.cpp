#include "nas/scores/scorer.h"

#include "nas/training/module.h"

namespace cosearch::nas {

std::vector<std::string> problems_in(const ScoringOptions& options) {
  std::vector<std::string> problems;
  if (options.batch < 2)
    problems.push_back("batch = " + std::to_string(options.batch) + ": must be at least 2");
  if (options.repeats < 1)
    problems.push_back("repeats = " + std::to_string(options.repeats) + ": must be at least 1");
  return problems;
}

std::unique_ptr<Scorer> load_scorer(const std::filesystem::path& module_folder) {
  const auto create =
      reinterpret_cast<ScorerFactory>(module_function(module_folder, kScorerFactoryName));
  return std::unique_ptr<Scorer>(create());
}

}  // namespace cosearch::nas
