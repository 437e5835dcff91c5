#include "codesign/study_union.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "codesign/study_points.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

using datasets::PointBatch;

constexpr std::uint64_t kRows = 65'536;

// The number of `key`, the next free one when it is new.
std::uint32_t number_of(std::map<std::string, std::uint32_t>& numbers, const std::string& key) {
  return numbers.emplace(key, static_cast<std::uint32_t>(numbers.size())).first->second;
}

template <class Index>
Index position_in(std::vector<std::string>& names, const std::string& name) {
  const auto found = std::ranges::find(names, name);
  const auto position = static_cast<std::size_t>(found - names.begin());
  if (position > std::numeric_limits<Index>::max())
    throw UserError("the studies have more than 65,536 different reasons or strategies");
  if (found == names.end()) names.push_back(name);
  return static_cast<Index>(position);
}

// What makes two points one, as bytes.
std::string content_of(const PointBatch& points, std::size_t i, std::uint32_t network,
                       bool is_measured) {
  std::string bytes;
  const auto add = [&](const auto& value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  add(network);
  add(is_measured);
  add(points.accelerator[i]);
  add(points.reason[i]);
  for (const std::vector<double>& metric : points.metrics) add(metric[i]);
  return bytes;
}

void push_row(PointBatch& to, const PointBatch& from, std::size_t i) {
  to.id.push_back(from.id[i]);
  to.network.push_back(from.network[i]);
  to.accelerator.push_back(from.accelerator[i]);
  for (std::size_t m = 0; m < from.metrics.size(); ++m) to.metrics[m].push_back(from.metrics[m][i]);
  to.feasible.push_back(from.feasible[i]);
  to.reason.push_back(from.reason[i]);
  to.strategy.push_back(from.strategy[i]);
  to.step.push_back(from.step[i]);
  to.accuracy_source.push_back(from.accuracy_source[i]);
  to.accuracy_spread.push_back(from.accuracy_spread[i]);
}

bool is_front_proposer(const std::string& strategy) {
  return strategy.starts_with(kFrontProposerName);  // a merged store adds seed and file
}

}  // namespace

StudyUnion::StudyUnion(std::vector<Member> members) : members_(std::move(members)) {
  for (const Member& member : members_) {
    if (member.store.front().objectives != objectives() || member.store.metrics() != metrics())
      throw UserError(
          {member.name},
          fmt::format("asks for {}, {} for {}: fronts of different objectives cannot be "
                      "merged",
                      fmt::join(member.store.front().objectives, ", "), members_.front().name,
                      fmt::join(objectives(), ", ")));
    if (member.store.header().space_file != members_.front().store.header().space_file)
      throw UserError({member.name},
                      fmt::format("its space is described by another file than that of {}: their "
                                  "networks cannot be told apart",
                                  members_.front().name));
    Numbering numbering;
    add_networks(member, numbering);
    add_accelerators(member, numbering);
    add_names(member, numbering);
    add_measured(member, numbering);
    numberings_.push_back(std::move(numbering));
  }
}

const std::vector<datasets::MetricColumn>& StudyUnion::metrics() const {
  return members_.front().store.metrics();
}

const std::vector<std::string>& StudyUnion::objectives() const {
  return members_.front().store.front().objectives;
}

void StudyUnion::add_networks(const Member& member, Numbering& numbering) {
  for (const datasets::NetworkRow& row : member.store.networks()) {
    const std::string canonical =
        row.space + '\n' + (row.canonical.empty() ? row.genotype : row.canonical);
    const std::string spelled = fmt::format("{}\n{}\n{}\n{}\n{}", canonical, row.genotype, row.name,
                                            row.macs, row.parameters);
    const std::uint32_t number =
        number_of(network_numbers_, fmt::format("{}\n{}", spelled, row.accuracy));
    if (number == networks_.size()) {
      networks_.push_back(row);
      canonical_.push_back(number_of(canonical_numbers_, canonical));
      spelled_.push_back(number_of(spelled_numbers_, spelled));
    }
    numbering.networks.push_back(number);
  }
}

void StudyUnion::add_accelerators(const Member& member, Numbering& numbering) {
  const datasets::AcceleratorTable table = member.store.accelerators();
  if (accelerators_.rows.empty()) accelerators_.parameters = table.parameters;
  if (table.parameters != accelerators_.parameters)
    throw UserError({member.name}, fmt::format("describes accelerators by other parameters than {}",
                                               members_.front().name));
  for (const datasets::AcceleratorRow& row : table.rows) {
    const std::uint32_t number = number_of(
        accelerator_numbers_, fmt::format("{}\n{}\n{}", row.template_name,
                                          fmt::join(row.parameters, " "), row.text_parameters));
    if (number == accelerators_.rows.size()) accelerators_.rows.push_back(row);
    numbering.accelerators.push_back(number);
  }
}

void StudyUnion::add_names(const Member& member, Numbering& numbering) {
  const datasets::StudyHeader& header = member.store.header();
  for (const std::string& strategy : header.strategies)
    numbering.strategies.push_back(position_in<std::uint16_t>(
        strategies_, members_.size() == 1
                         ? strategy
                         : fmt::format("{}, seed {}, {}", strategy, header.seed, member.name)));
  for (const std::string& source : header.accuracy_sources)
    numbering.accuracy_sources.push_back(position_in<std::uint16_t>(accuracy_sources_, source));
  for (const std::string& reason : member.store.result().reasons)
    numbering.reasons.push_back(position_in<std::uint16_t>(reasons_, reason));
}

void StudyUnion::add_measured(const Member& member, const Numbering& numbering) {
  for (std::size_t i = measures_.size(); i < strategies_.size(); ++i)
    measures_.push_back(is_front_proposer(strategies_[i]));
  if (std::ranges::none_of(member.store.header().strategies, is_front_proposer)) return;
  for (std::uint64_t first = 0; first < member.store.point_count(); first += kRows) {
    PointBatch points = member.store.points(first, kRows);
    translate(points, numbering);
    for (std::size_t i = 0; i < points.size(); ++i)
      if (is_measured(points, i)) measured_.insert(design_of(points, i));
  }
}

void StudyUnion::translate(PointBatch& points, const Numbering& numbering) const {
  for (std::uint32_t& network : points.network) network = numbering.networks[network];
  for (std::uint32_t& accelerator : points.accelerator)
    if (accelerator != datasets::kNoStoredAccelerator)
      accelerator = numbering.accelerators[accelerator];
  for (std::uint16_t& reason : points.reason) reason = numbering.reasons[reason];
  for (std::uint16_t& strategy : points.strategy) strategy = numbering.strategies[strategy];
  for (std::uint16_t& source : points.accuracy_source) source = numbering.accuracy_sources[source];
}

std::uint64_t StudyUnion::design_of(const PointBatch& points, std::size_t row) const {
  return (std::uint64_t{spelled_[points.network[row]]} << 32) | points.accelerator[row];
}

bool StudyUnion::is_measured(const PointBatch& points, std::size_t row) const {
  return measures_[points.strategy[row]];
}

bool StudyUnion::is_replaced(const PointBatch& points, std::size_t row) const {
  return !is_measured(points, row) && measured_.contains(design_of(points, row));
}

std::vector<std::size_t> StudyUnion::first_seen(const PointBatch& points, Seen& seen) const {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::string content =
        content_of(points, i, canonical_[points.network[i]], is_measured(points, i));
    if (seen.insert(datasets::fingerprint_of(content)).second) rows.push_back(i);
  }
  return rows;
}

namespace {

std::vector<std::size_t> every_row(const PointBatch& points) {
  std::vector<std::size_t> rows(points.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

PointBatch rows_of(const PointBatch& points, const std::vector<std::size_t>& rows) {
  PointBatch some;
  some.metrics.resize(points.metrics.size());
  for (const std::size_t row : rows) push_row(some, points, row);
  return some;
}

}  // namespace

void StudyUnion::visit(
    Which which,
    const std::function<void(const PointBatch& points, std::size_t member)>& visit) const {
  Seen seen;
  std::uint64_t next_id = 0;
  for (std::size_t member = 0; member < members_.size(); ++member) {
    const datasets::StudyStore& store = members_[member].store;
    for (std::uint64_t first = 0; first < store.point_count(); first += kRows) {
      PointBatch points = store.points(first, kRows);
      translate(points, numberings_[member]);
      std::vector<std::size_t> rows =
          members_.size() > 1 ? first_seen(points, seen) : every_row(points);
      if (members_.size() > 1)
        for (const std::size_t row : rows) points.id[row] = next_id++;
      if (which == Which::latest)
        std::erase_if(rows, [&](std::size_t row) { return is_replaced(points, row); });
      if (rows.size() < points.size()) points = rows_of(points, rows);
      if (points.size() > 0) visit(points, member);
    }
  }
}

}  // namespace cosearch::codesign
