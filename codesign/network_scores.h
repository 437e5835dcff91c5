// Training-free scores of the candidate networks of a study.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "codesign/network_set.h"
#include "codesign/workers.h"
#include "nas/scores/scorer.h"
#include "predictors/rank_correlation.h"

namespace cosearch::codesign {

/// What to compute. `scorer` and `images` may be null: without a scorer only structural scores can
/// be asked for, without images they are computed from noise.
struct ScoreRequest {
  std::vector<nas::Score> scores;
  const nas::Scorer* scorer = nullptr;
  nas::ScoringOptions options = {};
  const nas::LabelledImages* images = nullptr;
  std::uint64_t seed = 1;
};

/// A score that needs no run of the network (nas::is_structural); NaN where `space` has no such
/// one.
[[nodiscard]] double structural_score(const nas::NetworkSpace& space, const Candidate& candidate,
                                      nas::Score score);

/// One number per score of `request`, NaN where the candidate has no such score. Throws UserError
/// as Scorer::score does.
[[nodiscard]] std::vector<double> scores_of(const nas::NetworkSpace& space,
                                            const Candidate& candidate,
                                            const ScoreRequest& request);

/// The same for the candidates `which` of `set`, which has a space; `finished` is called with each
/// as soon as it is known, one at a time.
void score_networks(const NetworkSet& set, std::span<const std::size_t> which,
                    const ScoreRequest& request, Workers& workers,
                    const std::function<void(std::size_t candidate, std::vector<double>)>& finished,
                    const std::function<bool()>& stop = {});

/// How well a score orders networks by what was measured.
struct ScoreQuality {
  std::size_t networks = 0;  ///< of which both numbers are known
  double spearman = 0;
  predictors::Interval interval;
};

/// Over the networks for which neither is NaN. Requires lists of one length.
[[nodiscard]] ScoreQuality quality_of(std::span<const double> score,
                                      std::span<const double> measured);

}  // namespace cosearch::codesign
