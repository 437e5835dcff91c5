#include "codesign/network_set.h"

#include <cmath>
#include <unordered_map>
#include <utility>

namespace cosearch::codesign {
namespace {

using DistinctLayers = std::vector<std::pair<Layer, std::int64_t>>;

// What remains of a network once its names and edges are no longer needed.
struct Lowered {
  std::string canonical;
  std::int64_t macs = 0, parameters = 0;
  DistinctLayers layers;
};

Lowered summarise(const Network& network, std::string canonical) {
  return {std::move(canonical), network.macs(), network.parameters(), network.distinct_layers()};
}

// Numbers layers in order of first appearance over the candidates.
class LayerNumbering {
 public:
  explicit LayerNumbering(std::vector<Layer>& layers) : layers_(layers) {}

  std::vector<LayerCount> number(const DistinctLayers& distinct) {
    std::vector<LayerCount> counts;
    counts.reserve(distinct.size());
    for (const auto& [layer, count] : distinct) {
      const auto [found, is_new] = ids_.try_emplace(layer, static_cast<LayerId>(layers_.size()));
      if (is_new) layers_.push_back(layer);
      counts.push_back({found->second, count});
    }
    return counts;
  }

 private:
  std::vector<Layer>& layers_;
  std::unordered_map<Layer, LayerId, LayerHash> ids_;
};

[[noreturn]] void fail_at(const SourceLocation& where, const std::string& message) {
  if (where.file.empty()) throw UserError(message);
  throw UserError(where, message);
}

void append(NetworkSet& set, LayerNumbering& numbering, TableEntry entry, Lowered lowered) {
  set.candidates.push_back({.genotype = std::move(entry.genotype),
                            .canonical = std::move(lowered.canonical),
                            .id = std::move(entry.id),
                            .accuracy_percent = entry.accuracy_percent,
                            .macs = lowered.macs,
                            .parameters = lowered.parameters,
                            .layers = numbering.number(lowered.layers)});
}

}  // namespace

NetworkSet lower_all(std::shared_ptr<const nas::NetworkSpace> space,
                     std::vector<TableEntry> entries, Workers& workers) {
  std::vector<Lowered> lowered(entries.size());
  std::vector<std::string> problems(entries.size());
  workers.for_ranges(entries.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::string& genotype = entries[i].genotype;
      try {
        lowered[i] = summarise(space->lower(genotype), space->canonical(genotype));
      } catch (const UserError& error) {
        problems[i] = error.what();
      }
    }
  });
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (!problems[i].empty()) fail_at(entries[i].where, problems[i]);

  NetworkSet set;
  set.space = space->name();
  set.network_space = std::move(space);
  LayerNumbering numbering(set.layers);
  for (std::size_t i = 0; i < entries.size(); ++i)
    append(set, numbering, std::move(entries[i]), std::move(lowered[i]));
  return set;
}

void merge_equivalent(NetworkSet& set) {
  std::unordered_map<std::string, std::size_t> position;
  std::vector<Candidate> merged;
  std::vector<double> measurements;  // per merged candidate
  for (Candidate& candidate : set.candidates) {
    const auto [found, is_new] = position.try_emplace(candidate.canonical, merged.size());
    if (is_new) {
      measurements.push_back(std::isnan(candidate.accuracy_percent) ? 0 : 1);
      merged.push_back(std::move(candidate));
    } else if (!std::isnan(candidate.accuracy_percent)) {
      double& mean = merged[found->second].accuracy_percent;
      const double count = ++measurements[found->second];
      mean = count == 1 ? candidate.accuracy_percent
                        : mean + (candidate.accuracy_percent - mean) / count;
    }
  }
  set.candidates = std::move(merged);
}

NetworkSet gather(std::vector<Network> networks) {
  NetworkSet set;
  LayerNumbering numbering(set.layers);
  for (const Network& network : networks)
    append(set, numbering, {.genotype = network.name(), .id = network.name()},
           summarise(network, network.name()));
  return set;
}

}  // namespace cosearch::codesign
