#include "codesign/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "codesign/hypervolume.h"
#include "codesign/ledger.h"
#include "codesign/study.h"
#include "codesign/study_points.h"
#include "codesign/versions.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

using datasets::PointBatch;

SearchQuestion question_of(const StudyUnion& studies) {
  SearchQuestion question;
  for (const std::string& name : studies.objectives())
    if (const std::optional<Metric> metric = metric_named(name))
      question.objectives.push_back({*metric});
  if (question.objectives.size() != studies.objectives().size() || question.objectives.empty())
    throw UserError({studies.members().front().name},
                    "has no objectives that this program knows: there is no front");
  return question;
}

bool passes(const PointFilter& filter, const StudyUnion& studies, const Trial& trial) {
  if (violation(filter.bounds, trial.metrics) > 0) return false;
  return std::ranges::all_of(filter.names, [&](const PointFilter::Name& name) {
    using Of = PointFilter::Name::Of;
    if (name.of == Of::network)
      return studies.networks()[trial.design.network].genotype == name.value;
    if (!trial.design.has_accelerator()) return false;
    const datasets::AcceleratorRow& row = studies.accelerators().rows[trial.design.accelerator];
    return (name.of == Of::accelerator ? row.name : row.template_name) == name.value;
  });
}

// Calls `look(trial, points, row, member)` with every point that passes and that no later one
// replaces; the violation says whether it is feasible.
void for_each_trial(const StudyUnion& studies, const PointFilter& filter, const auto& look) {
  studies.visit(StudyUnion::Which::latest, [&](const PointBatch& points, std::size_t member) {
    std::vector<Trial> trials = trials_of(points, studies.metrics());
    for (std::size_t i = 0; i < trials.size(); ++i) {
      trials[i].violation = points.feasible[i] == 1 ? 0 : 1;
      if (passes(filter, studies, trials[i])) look(trials[i], points, i, member);
    }
  });
}

struct Origin {
  std::uint64_t id = 0;
  std::size_t member = 0;
  std::uint16_t accuracy_source = 0;
  double accuracy_spread = 0;

  Origin(const PointBatch& points, std::size_t row, std::size_t from)
      : id(points.id[row]),
        member(from),
        accuracy_source(points.accuracy_source[row]),
        accuracy_spread(points.accuracy_spread[row]) {}
};

/// A front, with what the archive does not keep of its points: where they are from.
class TracedFront {
 public:
  TracedFront(const StudyUnion& studies, const PointFilter& filter)
      : archive_(question_of(studies)) {
    for_each_trial(
        studies, filter,
        [&](const Trial& trial, const PointBatch& points, std::size_t row, std::size_t member) {
          if (archive_.insert(trial)) origins_.emplace(key_of(trial), Origin(points, row, member));
        });
  }

  [[nodiscard]] const ParetoArchive& archive() const { return archive_; }
  [[nodiscard]] const Origin& origin_of(const Trial& trial) const {
    return origins_.at(key_of(trial));
  }

 private:
  // Two studies may have evaluated one design differently; of equals the archive keeps the first.
  using Key = std::pair<Design, std::vector<double>>;
  [[nodiscard]] Key key_of(const Trial& trial) const {
    Key key{trial.design, {}};
    for (const Objective& objective : archive_.question().objectives)
      key.second.push_back(trial.metrics[objective.metric]);
    return key;
  }

  ParetoArchive archive_;
  std::map<Key, Origin> origins_;  // of all that were ever on the front
};

// `trials` as rows.
PointBatch batch_of(const std::vector<Trial>& trials, const TracedFront& front,
                    const std::vector<datasets::MetricColumn>& metrics) {
  PointBatch batch;
  batch.metrics.resize(metrics.size());
  for (const Trial& trial : trials) {
    const Origin& origin = front.origin_of(trial);
    batch.id.push_back(origin.id);
    batch.accuracy_source.push_back(origin.accuracy_source);
    batch.accuracy_spread.push_back(origin.accuracy_spread);
    batch.network.push_back(trial.design.network);
    batch.accelerator.push_back(trial.design.accelerator);
    for (std::size_t m = 0; m < metrics.size(); ++m) {
      const std::optional<Metric> metric = metric_named(metrics[m].name);
      batch.metrics[m].push_back(metric ? trial.metrics[*metric]
                                        : std::numeric_limits<double>::quiet_NaN());
    }
  }
  return batch;
}

std::string joined_names(const StudyUnion& studies) {
  std::string text;
  for (const StudyUnion::Member& member : studies.members())
    text += (text.empty() ? "" : " + ") + member.store.header().name;
  return text;
}

}  // namespace

PointFilter parse_filter(const std::vector<std::string>& conditions) {
  using Of = PointFilter::Name::Of;
  PointFilter filter;
  for (const std::string& condition : conditions) {
    const std::size_t at = condition.find_first_of("<>=");
    const std::string what = condition.substr(0, at);
    const bool is_bound = at != std::string::npos && condition[at] != '=';
    if (at == std::string::npos || (is_bound && condition.compare(at + 1, 1, "=") != 0))
      throw UserError(
          fmt::format("'{}': expected METRIC<=VALUE, METRIC>=VALUE, network=GENOTYPE, "
                      "accelerator=NAME or template=NAME",
                      condition));
    const std::string value = condition.substr(at + (is_bound ? 2 : 1));
    const std::map<std::string, Of> names{{"network", Of::network},
                                          {"accelerator", Of::accelerator},
                                          {"template", Of::template_name}};
    if (const auto name = names.find(what); !is_bound && name != names.end()) {
      filter.names.push_back({name->second, value});
      continue;
    }
    const std::optional<Metric> metric = metric_named(what);
    if (!metric || !is_bound)
      throw UserError(fmt::format(
          "'{}': no {} '{}'{}", condition, is_bound ? "metric" : "name", what,
          did_you_mean(what,
                       is_bound ? metric_names()
                                : std::vector<std::string>{"network", "accelerator", "template"})));
    filter.bounds.push_back({*metric, parse_metric(*metric, value), condition[at] == '<'});
  }
  return filter;
}

datasets::Columns front_of(const StudyUnion& studies, const PointFilter& filter) {
  const TracedFront front(studies, filter);
  const std::vector<Trial> trials = front.archive().front();
  datasets::Columns columns =
      columns_of(batch_of(trials, front, studies.metrics()), studies.metrics(), studies.networks(),
                 studies.accelerators(), studies.accuracy_sources());
  if (studies.members().size() > 1) {
    std::vector<std::string> names;
    for (const Trial& trial : trials)
      names.push_back(studies.members()[front.origin_of(trial).member].name);
    columns.columns.push_back({"study", "", std::move(names)});
  }
  return columns;
}

datasets::Columns trace_of(const StudyUnion& studies, const PointFilter& filter) {
  // The box is known only at the end, so the points are read twice rather than kept.
  ParetoArchive whole(question_of(studies));
  for_each_trial(studies, filter, [&](const Trial& trial, auto&&...) { whole.insert(trial); });
  const std::vector<double> ideal = whole.ideal(), worst = whole.worst();
  std::vector<std::int64_t> evaluations, sizes;
  std::vector<double> volumes;
  ParetoArchive archive(question_of(studies));
  std::int64_t done = 0;
  const auto note = [&] {
    evaluations.push_back(done);
    sizes.push_back(static_cast<std::int64_t>(archive.size()));
    volumes.push_back(
        normalised_hypervolume(archive.front(), archive.question().objectives, ideal, worst));
  };
  for_each_trial(studies, filter, [&](const Trial& trial, auto&&...) {
    ++done;
    if (archive.insert(trial)) note();
  });
  if (done > 0 && (evaluations.empty() || evaluations.back() < done)) note();
  return {{{"evaluations", "", std::move(evaluations)},
           {"hypervolume", "", std::move(volumes)},
           {"front", "", std::move(sizes)}}};
}

void write_merged(const StudyUnion& studies, const std::filesystem::path& output,
                  const std::string& command_line) {
  datasets::StudyHeader header = studies.members().front().store.header();
  header.name = joined_names(studies);
  header.command_line = command_line;
  header.strategies = studies.strategies();
  header.accuracy_sources = studies.accuracy_sources();
  header.program_version = versions().front().second;
  auto store = datasets::StudyStore::create(output, header, studies.metrics(), studies.networks(),
                                            studies.accelerators());
  Ledger ledger(static_cast<std::uint32_t>(studies.networks().size()),
                static_cast<std::uint32_t>(studies.accelerators().rows.size()));
  studies.visit(StudyUnion::Which::all, [&](const PointBatch& points, std::size_t) {
    store.append(points);
    for (std::size_t i = 0; i < points.size(); ++i)
      ledger.enter({points.network[i], points.accelerator[i]});
  });
  const TracedFront front(studies, {});
  datasets::StudyResult result;
  const ParetoArchive& archive = front.archive();
  const std::vector<Trial> trials = archive.front();
  result.front = codesign::front_of(archive);
  for (const Trial& trial : trials) result.front.ids.push_back(front.origin_of(trial).id);
  result.front.hypervolume = normalised_hypervolume(trials, archive.question().objectives,
                                                    archive.ideal(), archive.worst());
  result.counts = {ledger.counts().trials, ledger.counts().networks, ledger.counts().hardware, 0};
  result.reasons = studies.reasons();
  for (const StudyUnion::Member& member : studies.members()) {
    result.counts.layers += member.store.result().counts.layers;
    result.complete = result.complete && member.store.result().complete;
  }
  store.finish(result);
}

}  // namespace cosearch::codesign
