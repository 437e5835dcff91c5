#include "nas/scores/score.h"

#include <array>

#include "core/user_error.h"

namespace cosearch::nas {
namespace {

constexpr std::array<std::string_view, 12> kNames{
    "synflow",   "logsynflow", "naswot", "nregions",   "jacob_cov", "snip",
    "grad_norm", "zen",        "zico",   "parameters", "macs",      "skip"};
static_assert(kNames.size() == static_cast<std::size_t>(Score::skip) + 1);

}  // namespace

std::vector<std::string> score_names() { return {kNames.begin(), kNames.end()}; }

std::string_view name_of(Score score) { return kNames[static_cast<std::size_t>(score)]; }

Score score_named(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<Score>(i);
  throw UserError("no score is called '" + std::string(name) + "'" +
                  did_you_mean(std::string(name), score_names()));
}

}  // namespace cosearch::nas
