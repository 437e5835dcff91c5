#include "codesign/accuracies.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

bool asks_for(const Study& study, Metric metric) {
  const auto is_it = [metric](const auto& asked) { return asked.metric == metric; };
  return std::ranges::any_of(study.objectives, is_it) ||
         std::ranges::any_of(study.constraints, is_it);
}

// No design could ever meet a question about what no source says.
void require_answers(const Study& study, const NetworkSet& networks) {
  const AccuracyKind kind = study.accuracy.first.kind;
  if (asks_for(study, Metric::score) && kind != AccuracyKind::score)
    throw UserError({study.file},
                    "the study asks for 'score' and names none: add 'accuracy: {score: NAME}'");
  if (!asks_for(study, Metric::accuracy)) return;
  if (kind == AccuracyKind::score)
    throw UserError(study.accuracy.first.where,
                    fmt::format("'{}' is a score, no accuracy in percent: ask for 'score' instead "
                                "of 'accuracy' in 'objectives' and 'constraints'",
                                nas::name_of(study.accuracy.first.score)));
  const auto is_known = [](const Candidate& c) { return !std::isnan(c.accuracy_percent); };
  if (kind == AccuracyKind::none ||
      (kind == AccuracyKind::table && std::ranges::none_of(networks.candidates, is_known)))
    throw UserError({study.file},
                    "the study asks for accuracy and knows none: say in 'accuracy' where it comes "
                    "from, or leave it out of 'objectives' and 'constraints'");
}

}  // namespace

Accuracies::Accuracies(const Study& study, const NetworkSet& networks, Workers& workers,
                       const AccuracyTools& tools)
    : known_(networks.candidates.size()) {
  require_answers(study, networks);
  const AccuracySourcing& sourcing = study.accuracy;
  if (sourcing.first.kind == AccuracyKind::score) metric_ = Metric::score;
  if (sourcing.first.kind != AccuracyKind::none)
    sources_.push_back(make_accuracy_source(sourcing.first, study, networks, workers, tools));
  if (sourcing.then)
    sources_.push_back(make_accuracy_source(*sourcing.then, study, networks, workers, tools));
}

bool Accuracies::find(std::span<const std::uint32_t> networks) {
  for (std::size_t source = 0; source < sources_.size(); ++source) {
    std::vector<std::uint32_t> unknown;
    for (const std::uint32_t network : networks)
      if (Known& known = known_[network]; !known.is_asked && known.source == source) {
        known.is_asked = true;  // so that it is listed once
        unknown.push_back(network);
      }
    if (unknown.empty()) continue;
    const auto estimates = sources_[source]->estimate(unknown, watch_);
    for (std::size_t i = 0; i < unknown.size(); ++i) {
      known_[unknown[i]].is_asked = estimates.has_value();
      if (estimates) known_[unknown[i]].estimate = (*estimates)[i];
    }
    if (!estimates) return false;
  }
  return true;
}

void Accuracies::measure(std::span<const std::uint32_t> networks) {
  for (const std::uint32_t network : networks) known_[network] = {.estimate = {}, .source = 1};
}

std::uint16_t Accuracies::source_of(std::uint32_t network) const {
  const Known& known = known_[network];
  return std::isnan(known.estimate.value) ? std::uint16_t{0}
                                          : static_cast<std::uint16_t>(known.source + 1);
}

std::vector<std::string> Accuracies::source_names() const {
  std::vector<std::string> names{""};
  for (const auto& source : sources_) names.emplace_back(name_of(source->kind()));
  return names;
}

std::map<std::string, std::string> Accuracies::input_hashes() const {
  std::map<std::string, std::string> hashes;
  for (const auto& source : sources_) hashes.merge(source->input_hashes());
  return hashes;
}

void Accuracies::keep_beside(const std::filesystem::path& store) {
  for (const auto& source : sources_) source->keep_beside(store);
}

}  // namespace cosearch::codesign
