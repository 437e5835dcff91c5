#include "codesign/joint_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

#include "codesign/accelerator_file.h"
#include "codesign/embedded_tables.h"
#include "codesign/network_file.h"
#include "codesign/network_scores.h"
#include "codesign/space_file.h"
#include "core/random.h"
#include "core/user_error.h"
#include "datasets/table.h"

namespace cosearch::codesign {
namespace {

constexpr std::array kStructuralScores{nas::Score::parameters, nas::Score::macs, nas::Score::skip};

constexpr std::size_t kNearestPerTemplate = 4;
// The candidates of a study, networks and accelerators each, are at most so many: all of them are
// held in memory. Larger spaces are sampled.
constexpr std::uint64_t kMostCandidates = 1 << 20;

double parameter_distance(const accel::AcceleratorParameters& a,
                          const accel::AcceleratorParameters& b) {
  const std::array<std::pair<double, double>, 8> pairs{{
      {static_cast<double>(a.pe_rows), static_cast<double>(b.pe_rows)},
      {static_cast<double>(a.pe_columns), static_cast<double>(b.pe_columns)},
      {static_cast<double>(a.pe_buffer.value), static_cast<double>(b.pe_buffer.value)},
      {static_cast<double>(a.shared_buffer.value), static_cast<double>(b.shared_buffer.value)},
      {a.noc_bandwidth, b.noc_bandwidth},
      {a.dram_bandwidth, b.dram_bandwidth},
      {a.clock.value, b.clock.value},
      {static_cast<double>(a.precision_bits), static_cast<double>(b.precision_bits)},
  }};
  double distance = 0;
  for (const auto& [x, y] : pairs) distance += std::abs(std::log2(x / y));
  return distance;
}

// `count` of [0, total), ascending.
std::vector<std::uint64_t> sample_indices(std::uint64_t total, std::uint64_t count, Random random) {
  // Floyd's algorithm: each subset equally likely, no list of all indices. Source: J. Bentley,
  // R. Floyd, "A sample of brilliance", CACM 30(9), 1987.
  std::set<std::uint64_t> chosen;
  for (std::uint64_t j = total - std::min(count, total); j < total; ++j) {
    const std::uint64_t drawn = random.below(j + 1);
    if (!chosen.insert(drawn).second) chosen.insert(j);
  }
  return {chosen.begin(), chosen.end()};
}

bool matches(const datasets::Table& table, std::size_t row, const RowFilter& where) {
  return std::ranges::all_of(where, [&](const auto& filter) {
    const std::string& cell = table.text(row, table.column(filter.first));
    return std::ranges::find(filter.second, cell) != filter.second.end();
  });
}

double accuracy_in(const datasets::Table& table, std::size_t row, std::size_t column) {
  const double accuracy = table.number(row, column);
  if (accuracy < 0 || accuracy > 100)
    throw UserError(table.where(row), fmt::format("{} = {}: accuracies are percentages in [0, 100]",
                                                  table.columns()[column], accuracy));
  return accuracy;
}

std::vector<TableEntry> entries_of(const datasets::Table& table, const NetworkTableSource& source) {
  std::vector<TableEntry> entries;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const bool complete = std::ranges::all_of(source.require, [&](const std::string& name) {
      return !table.text(row, table.column(name)).empty();
    });
    if (!complete || !matches(table, row, source.where)) continue;
    TableEntry entry{.genotype = joined_cells(table, row, source.genotype, ";"),
                     .where = table.where(row)};
    entry.id = source.id.empty() ? entry.genotype : table.text(row, table.column(source.id));
    if (!source.accuracy.empty())
      entry.accuracy_percent = accuracy_in(table, row, table.column(source.accuracy));
    entries.push_back(std::move(entry));
  }
  if (entries.empty())
    throw UserError({table.name()}, "no row is left after 'require' and 'where'");
  return entries;
}

// Two rows for one genotype would make its accuracy depend on which is read.
void refuse_repeats(const std::vector<TableEntry>& entries) {
  std::map<std::string_view, int> line_of;
  for (const TableEntry& entry : entries)
    if (const auto [first, is_new] = line_of.try_emplace(entry.genotype, entry.where.line); !is_new)
      throw UserError(entry.where,
                      fmt::format("genotype '{}' stands in two rows, here and at line {}",
                                  entry.genotype, first->second));
}

void refuse_large_sample(const Study& study, const char* what, std::optional<std::uint64_t> count) {
  if (count && *count > kMostCandidates)
    throw UserError({study.file}, fmt::format("{}.sample = {}: a study holds at most {} of them",
                                              what, *count, kMostCandidates));
}

std::vector<TableEntry> entries_of(const nas::NetworkSpace& space, const Study& study) {
  std::vector<TableEntry> entries;
  const auto add = [&](std::string genotype) {
    entries.push_back({.genotype = genotype, .id = genotype});
  };
  if (space.size() > static_cast<double>(kMostCandidates)) {
    if (!study.networks.sample)
      throw UserError({study.file}, fmt::format("space {} holds {:.3g} networks, too many to "
                                                "enumerate: add 'sample: COUNT' to 'networks'",
                                                space.name(), space.size()));
    std::set<std::string> seen;
    for (std::uint64_t index = 0; seen.size() < *study.networks.sample; ++index) {
      Random random(study.seed, "networks.sample", index);
      if (std::string genotype = space.sample(random); seen.insert(genotype).second) add(genotype);
    }
    return entries;
  }
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space.size()); ++i)
    add(space.genotype(i));
  return entries;
}

std::vector<TableEntry> load_entries(const nas::NetworkSpace& space, const Study& study) {
  const NetworkSource& source = study.networks;
  if (!source.embedded_table && !source.table) return entries_of(space, study);
  const bool embedded = source.embedded_table;
  const datasets::Table table =
      embedded ? embedded_accuracies(space.name()) : datasets::Table::read(source.table->file);
  std::vector<TableEntry> entries = entries_of(
      table, embedded ? NetworkTableSource{.genotype = {"genotype"}, .accuracy = "accuracy_percent"}
                      : *source.table);
  refuse_repeats(entries);
  return entries;
}

template <class T>
void keep_sample(std::vector<T>& items, std::optional<std::uint64_t> count, Random random) {
  if (!count || *count >= items.size()) return;
  std::vector<T> kept;
  for (const std::uint64_t index : sample_indices(items.size(), *count, random))
    kept.push_back(std::move(items[index]));
  items = std::move(kept);
}

std::string short_size(Bytes size) {
  return size.value % 1024 == 0 && size.value > 0 ? fmt::format("{}KiB", size.value / 1024)
                                                  : fmt::format("{}B", size.value);
}

// "nvdla-16x16-256B-128KiB-n32-d8", and clock and precision where they are not the usual ones:
// different machines of a study have different names.
std::string grid_name(const accel::AcceleratorParameters& p) {
  const accel::AcceleratorParameters usual;
  std::string name = fmt::format("{}-{}x{}-{}B-{}-n{}-d{}", p.template_name, p.pe_rows,
                                 p.pe_columns, p.pe_buffer.value, short_size(p.shared_buffer),
                                 p.noc_bandwidth, p.dram_bandwidth);
  if (p.clock != usual.clock) name += fmt::format("-{}MHz", p.clock.value / 1e6);
  if (p.precision_bits != usual.precision_bits) name += fmt::format("-{}bit", p.precision_bits);
  return name;
}

// How many accelerators a study offers: named ones and all members of its grids.
std::uint64_t choice_count(const Study& study) {
  // Well below 2^64, far above what can be sampled with sense.
  constexpr double kMostChoices = 1e18;
  double exact = 0;
  for (const accel::AcceleratorSpace& grid : study.accelerators.grids) {
    double size = 1;
    for (const std::size_t radix : grid.radices()) size *= static_cast<double>(radix);
    exact += size;
  }
  if (exact > kMostChoices)
    throw UserError(
        {study.file},
        fmt::format("the grids hold {:.3g} accelerators; at most {:g} can be sampled from", exact,
                    kMostChoices));
  std::uint64_t count = study.accelerators.named.size();
  for (const accel::AcceleratorSpace& grid : study.accelerators.grids) count += grid.size();
  return count;
}

// Named ones first, then grid by grid.
std::pair<std::string, accel::AcceleratorParameters> choice_at(const AcceleratorSource& source,
                                                               std::uint64_t index) {
  if (index < source.named.size())
    return {source.named[index], named_parameters(source.named[index])};
  index -= source.named.size();
  auto grid = source.grids.begin();
  for (; index >= grid->size(); ++grid) index -= grid->size();
  const accel::AcceleratorParameters parameters = grid->at(index);
  return {grid_name(parameters), parameters};
}

}  // namespace

std::string joined_cells(const datasets::Table& table, std::size_t row,
                         const std::vector<std::string>& columns, std::string_view separator) {
  std::string joined;
  for (const std::string& name : columns) {
    if (!joined.empty()) joined += separator;
    joined += table.text(row, table.column(name));
  }
  return joined;
}

std::vector<std::size_t> matching_rows(const datasets::Table& table, const RowFilter& where) {
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < table.rows(); ++row)
    if (matches(table, row, where)) rows.push_back(row);
  return rows;
}

JointSpace::JointSpace(NetworkSet networks, std::vector<accel::Accelerator> accelerators)
    : networks_(std::move(networks)), accelerators_(std::move(accelerators)) {
  for (std::uint32_t i = 0; i < network_count(); ++i)
    index_of_genotype_.emplace(networks_.candidates[i].genotype, i);
  // A neighbour that is spelled otherwise among the candidates is found by its canonical form.
  for (std::uint32_t i = 0; i < network_count(); ++i)
    index_of_genotype_.emplace(networks_.candidates[i].canonical, i);
}

std::uint32_t JointSpace::network_count() const {
  return static_cast<std::uint32_t>(networks_.candidates.size());
}

std::uint32_t JointSpace::accelerator_count() const {
  return static_cast<std::uint32_t>(accelerators_.size());
}

double JointSpace::macs(std::uint32_t network) const {
  return static_cast<double>(networks_.candidates[network].macs);
}

std::string JointSpace::accelerator_name(Design design) const {
  return design.has_accelerator() ? accelerators_[design.accelerator].name : "none";
}

std::vector<std::uint32_t> JointSpace::network_neighbours(std::uint32_t network) const {
  std::vector<std::uint32_t> neighbours;
  if (networks_.network_space == nullptr) {
    for (std::uint32_t i = 0; i < network_count(); ++i)
      if (i != network) neighbours.push_back(i);
    return neighbours;
  }
  const nas::NetworkSpace& space = *networks_.network_space;
  std::set<std::uint32_t> seen{network};
  for (const std::string& genotype : space.neighbours(networks_.candidates[network].genotype))
    if (const auto found = candidate_of(genotype); found && seen.insert(*found).second)
      neighbours.push_back(*found);
  return neighbours;
}

std::optional<std::uint32_t> JointSpace::candidate_of(const std::string& genotype) const {
  auto found = index_of_genotype_.find(genotype);
  if (found == index_of_genotype_.end())
    found = index_of_genotype_.find(networks_.network_space->canonical(genotype));
  if (found == index_of_genotype_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::uint32_t> JointSpace::crossover(std::uint32_t first, std::uint32_t second,
                                                   Random& random) const {
  if (networks_.network_space == nullptr) return std::nullopt;
  return candidate_of(networks_.network_space->crossover(
      networks_.candidates[first].genotype, networks_.candidates[second].genotype, random));
}

std::vector<std::string> JointSpace::score_names() const {
  std::vector<std::string> names = networks_.score_names;
  if (networks_.network_space == nullptr) return names;
  for (const nas::Score score : kStructuralScores)
    if (std::ranges::find(names, nas::name_of(score)) == names.end())
      names.emplace_back(nas::name_of(score));
  return names;
}

double JointSpace::score(std::uint32_t network, std::size_t which) const {
  const Candidate& candidate = networks_.candidates[network];
  if (which < candidate.scores.size()) return candidate.scores[which];
  return structural_score(*networks_.network_space, candidate,
                          nas::score_named(score_names()[which]));
}

std::vector<std::uint32_t> JointSpace::accelerator_neighbours(std::uint32_t accelerator) const {
  const accel::AcceleratorParameters& origin = accelerators_[accelerator].parameters;
  std::map<std::string, std::vector<std::pair<double, std::uint32_t>>> by_template;
  for (std::uint32_t i = 0; i < accelerator_count(); ++i) {
    if (i == accelerator) continue;
    const accel::AcceleratorParameters& other = accelerators_[i].parameters;
    by_template[other.template_name].emplace_back(parameter_distance(origin, other), i);
  }
  std::vector<std::uint32_t> neighbours;
  for (auto& [name, distances] : by_template) {
    const std::size_t count = std::min(kNearestPerTemplate, distances.size());
    std::partial_sort(distances.begin(), distances.begin() + static_cast<std::ptrdiff_t>(count),
                      distances.end());
    for (std::size_t i = 0; i < count; ++i) neighbours.push_back(distances[i].second);
  }
  return neighbours;
}

namespace {

// Gives the candidates the scores of their rows.
void add_scores(const ScoreTableSource& source, NetworkSet& networks) {
  const datasets::Table table = datasets::Table::read(source.file);
  std::map<std::string, std::size_t> row_of;
  for (std::size_t row = 0; row < table.rows(); ++row)
    if (!row_of.emplace(joined_cells(table, row, source.network, ";"), row).second)
      throw UserError(table.where(row), fmt::format("network '{}' stands in two rows",
                                                    joined_cells(table, row, source.network, ";")));
  for (const auto& [score, column] : source.columns) {
    networks.score_names.push_back(score);
    const std::size_t place = table.column(column);
    for (Candidate& candidate : networks.candidates) {
      const auto row = row_of.find(candidate.id);
      const bool is_known = row != row_of.end() && !table.text(row->second, place).empty();
      candidate.scores.push_back(is_known ? table.number(row->second, place)
                                          : std::numeric_limits<double>::quiet_NaN());
    }
  }
  if (std::ranges::none_of(networks.candidates,
                           [&](const Candidate& one) { return row_of.contains(one.id); }))
    throw UserError(
        table.where(0),
        fmt::format("no row is of a network of the study: '{}' names none by its id, "
                    "such as '{}'",
                    joined_cells(table, 0, source.network, ";"), networks.candidates.front().id));
}

}  // namespace

NetworkSet load_networks(const Study& study, Workers& workers) {
  if (!study.networks.named.empty()) {
    std::vector<Network> networks;
    for (const std::string& name : study.networks.named) networks.push_back(find_network(name));
    return gather(std::move(networks));
  }
  const std::shared_ptr<const nas::NetworkSpace> space =
      make_space({study.networks.space, study.networks.space_text}, study.networks.options);
  refuse_large_sample(study, "networks", study.networks.sample);
  std::vector<TableEntry> entries = load_entries(*space, study);
  keep_sample(entries, study.networks.sample, Random(study.seed, "networks.sample"));
  NetworkSet networks = lower_all(space, std::move(entries), workers);
  if (study.networks.merge_equivalent) merge_equivalent(networks);
  if (study.networks.scores && !networks.candidates.empty())
    add_scores(*study.networks.scores, networks);
  return networks;
}

std::vector<accel::Accelerator> load_accelerators(const Study& study) {
  const AcceleratorSource& source = study.accelerators;
  const accel::TechnologyTable technology = find_technology(source.technology);
  refuse_large_sample(study, "accelerators", source.sample);
  const std::uint64_t total = choice_count(study);
  const std::uint64_t wanted = std::min(source.sample.value_or(total), total);
  if (wanted > kMostCandidates)
    throw UserError({study.file},
                    fmt::format("the grids hold {} accelerators; a study takes at most {}: add "
                                "'sample: COUNT' to 'accelerators'",
                                total, kMostCandidates));
  std::vector<accel::Accelerator> accelerators;
  std::set<std::string> names;
  for (const std::uint64_t index :
       sample_indices(total, wanted, Random(study.seed, "accelerators.sample"))) {
    const auto [name, parameters] = choice_at(source, index);
    // Grids may overlap; a machine that is in two of them is one candidate.
    if (names.insert(name).second)
      accelerators.push_back(accel::make_accelerator(name, parameters, technology));
  }
  return accelerators;
}

}  // namespace cosearch::codesign
