#include "codesign/network_scores.h"

#include <cmath>
#include <limits>
#include <mutex>
#include <utility>

namespace cosearch::codesign {

double structural_score(const nas::NetworkSpace& space, const Candidate& candidate,
                        nas::Score score) {
  switch (score) {
    case nas::Score::parameters:
      return static_cast<double>(candidate.parameters);
    case nas::Score::macs:
      return static_cast<double>(candidate.macs);
    default:
      return space.skip_length(candidate.genotype)
          .value_or(std::numeric_limits<double>::quiet_NaN());
  }
}

std::vector<double> scores_of(const nas::NetworkSpace& space, const Candidate& candidate,
                              const ScoreRequest& request) {
  std::vector<nas::Score> to_run;
  for (const nas::Score score : request.scores)
    if (!is_structural(score)) to_run.push_back(score);
  std::vector<double> run;
  if (!to_run.empty())
    run = request.scorer->score(space.blueprint(candidate.genotype), to_run, request.options,
                                request.images, request.seed);
  std::vector<double> all;
  auto next = run.begin();
  for (const nas::Score score : request.scores)
    all.push_back(is_structural(score) ? structural_score(space, candidate, score) : *next++);
  return all;
}

void score_networks(const NetworkSet& set, std::span<const std::size_t> which,
                    const ScoreRequest& request, Workers& workers,
                    const std::function<void(std::size_t candidate, std::vector<double>)>& finished,
                    const std::function<bool()>& stop) {
  std::mutex one_at_a_time;
  workers.for_ranges(which.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end && !(stop && stop()); ++i) {
      std::vector<double> scores = scores_of(*set.network_space, set.candidates[which[i]], request);
      const std::lock_guard lock(one_at_a_time);
      finished(which[i], std::move(scores));
    }
  });
}

ScoreQuality quality_of(std::span<const double> score, std::span<const double> measured) {
  std::vector<double> x, y;
  for (std::size_t i = 0; i < score.size(); ++i) {
    if (std::isnan(score[i]) || std::isnan(measured[i])) continue;
    x.push_back(score[i]);
    y.push_back(measured[i]);
  }
  return {x.size(), predictors::spearman(x, y), predictors::spearman_interval(x, y)};
}

}  // namespace cosearch::codesign
