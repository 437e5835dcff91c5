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
#include "datasets/quantity_text.h"
#include "datasets/table.h"

namespace cosearch::codesign {
namespace {

constexpr std::array kStructuralScores{nas::Score::parameters, nas::Score::macs, nas::Score::skip};

constexpr std::size_t kNearestPerFamily = 4;
// The candidates of a study, networks and accelerators each, are at most so many: all of them are
// held in memory. Larger spaces are sampled.
constexpr std::uint64_t kMostCandidates = 1 << 20;

double parameter_distance(const Accelerator& a, const Accelerator& b) {
  double distance = 0;
  for (std::size_t i = 0; i < a.parameters.size(); ++i) {
    const double x = a.parameters[i], y = b.parameters[i];
    if (x > 0 && y > 0)
      distance += std::abs(std::log2(x / y));
    else if (x < y || x > y)  // a zero, which no factor leads to; false where either is not known
      distance += 1;
  }
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
      throw UserError({study.file},
                      fmt::format("space {} holds {:.3g} networks, too many to "
                                  "enumerate: draw some ('sample: COUNT' of 'networks' "
                                  "in a study, --sample elsewhere)",
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

std::string short_size(double bytes) {
  const auto size = static_cast<std::int64_t>(bytes);
  return size % 1024 == 0 && size > 0 ? fmt::format("{}KiB", size / 1024)
                                      : fmt::format("{}B", size);
}

// "nvdla-16x16-256B-128KiB-n32-d8", and clock and precision where they are not the usual ones:
// different machines of a study have different names.
std::string template_name(const MachineFile& file, const ParameterValues& values) {
  const auto text = [&](const char* name) {
    const auto is_it = [&](const auto& value) { return value.first == name; };
    const auto given = std::ranges::find_if(values, is_it);
    return given != values.end() ? given->second
                                 : std::ranges::find_if(file.parameters(), is_it)->second;
  };
  const auto bytes = [&](const char* name) {
    return static_cast<double>(datasets::parse_bytes(text(name)).value);
  };
  std::string name =
      fmt::format("{}-{}x{}-{}B-{}-n{}-d{}", file.name(), text("pe_rows"), text("pe_columns"),
                  bytes("pe_buffer"), short_size(bytes("shared_buffer")),
                  datasets::parse_bytes_per_cycle(text("noc_bandwidth")),
                  datasets::parse_bytes_per_cycle(text("dram_bandwidth")));
  if (const Hertz clock = datasets::parse_hertz(text("clock")); clock != Hertz{200e6})
    name += fmt::format("-{}MHz", clock.value / 1e6);
  if (text("precision") != "8") name += fmt::format("-{}bit", text("precision"));
  for (const auto& [parameter, value] : values)
    if (parameter == "technology") name += "-" + value;
  return name;
}

bool is_template(const std::string& machine) {
  return std::ranges::any_of(accel::kDataflows,
                             [&](accel::Dataflow one) { return name_of(one) == machine; });
}

// A template of the study's technology, unless it has one of its own.
void set_technology(AcceleratorSpec& spec, const std::string& technology) {
  const bool has_own = std::ranges::any_of(
      spec.parameters, [](const auto& value) { return value.first == "technology"; });
  if (!has_own && is_template(spec.machine) && technology != "45nm")
    spec.parameters.emplace_back("technology", technology);
}

// How many accelerators a study offers: named ones, machines and all members of its grids.
std::uint64_t choice_count(const Study& study) {
  // Well below 2^64, far above what can be sampled with sense.
  constexpr double kMostChoices = 1e18;
  const AcceleratorSource& source = study.accelerators;
  double exact = 0;
  for (const MachineGrid& grid : source.grids) exact += grid.size();
  if (exact > kMostChoices)
    throw UserError(
        {study.file},
        fmt::format("the grids hold {:.3g} accelerators; at most {:g} can be sampled from", exact,
                    kMostChoices));
  std::uint64_t count = source.named.size() + source.machines.size();
  for (const MachineGrid& grid : source.grids) count += static_cast<std::uint64_t>(grid.size());
  return count;
}

// Builds the choices of a study by their number: named ones, machines, then grid by grid.
class Choices {
 public:
  explicit Choices(const AcceleratorSource& source) : source_(source) {}

  void add(std::uint64_t index, AcceleratorSet& set) {
    if (index < source_.named.size()) {
      const AcceleratorSpec spec = named_accelerator(source_.named[index]);
      return add(spec, file(spec.machine), set);
    }
    index -= source_.named.size();
    if (index < source_.machines.size()) {
      const std::string& what = source_.machines[index];
      const auto [machine, parameters] = split_parameters(what);
      return add({what, machine, parameters}, file(machine), set);
    }
    index -= source_.machines.size();
    auto grid = source_.grids.begin();
    for (std::uint64_t size = 0; index >= (size = static_cast<std::uint64_t>(grid->size())); ++grid)
      index -= size;
    AcceleratorSpec spec{"", grid->file().name(), grid->at(index)};
    spec.name = is_template(spec.machine) ? template_name(grid->file(), spec.parameters)
                                          : spec.machine + shown_parameters(spec.parameters);
    add(std::move(spec), grid->file(), set);
  }

 private:
  // Grids may overlap; a machine that is in two of them is one candidate.
  void add(AcceleratorSpec spec, const MachineFile& file, AcceleratorSet& set) {
    if (!names_.insert(spec.name).second) return;
    set_technology(spec, source_.technology);
    set.add(spec.name, file, spec.parameters);
  }

  const MachineFile& file(const std::string& name) {
    const auto found = files_.find(name);
    return found != files_.end() ? found->second : files_.emplace(name, name).first->second;
  }

  const AcceleratorSource& source_;
  std::map<std::string, MachineFile> files_;
  std::set<std::string> names_;
};

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

JointSpace::JointSpace(NetworkSet networks, AcceleratorSet accelerators, MapperChoice mapping)
    : networks_(std::move(networks)), accelerators_(std::move(accelerators)), mapping_(mapping) {
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
  return static_cast<std::uint32_t>(accelerators_.list.size());
}

double JointSpace::macs(std::uint32_t network) const {
  return static_cast<double>(networks_.candidates[network].macs);
}

std::string JointSpace::accelerator_name(Design design) const {
  return design.has_accelerator() ? accelerators()[design.accelerator].machine.name : "none";
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
  const Accelerator& origin = accelerators()[accelerator];
  std::map<std::string, std::vector<std::pair<double, std::uint32_t>>> by_family;
  for (std::uint32_t i = 0; i < accelerator_count(); ++i) {
    if (i == accelerator) continue;
    const Accelerator& other = accelerators()[i];
    by_family[other.family].emplace_back(parameter_distance(origin, other), i);
  }
  std::vector<std::uint32_t> neighbours;
  for (auto& [name, distances] : by_family) {
    const std::size_t count = std::min(kNearestPerFamily, distances.size());
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

AcceleratorSet load_accelerators(const Study& study) {
  const AcceleratorSource& source = study.accelerators;
  refuse_large_sample(study, "accelerators", source.sample);
  const std::uint64_t total = choice_count(study);
  const std::uint64_t wanted = std::min(source.sample.value_or(total), total);
  if (wanted > kMostCandidates)
    throw UserError({study.file},
                    fmt::format("the grids hold {} accelerators; a study takes at most {}: add "
                                "'sample: COUNT' to 'accelerators'",
                                total, kMostCandidates));
  AcceleratorSet accelerators;
  Choices choices(source);
  for (const std::uint64_t index :
       sample_indices(total, wanted, Random(study.seed, "accelerators.sample")))
    choices.add(index, accelerators);
  return accelerators;
}

}  // namespace cosearch::codesign
