#include "nas/cell_encodings.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "nas/darts.h"
#include "nas/nas_bench_101.h"
#include "nas/nas_bench_201.h"

namespace cosearch::nas {
namespace {

constexpr std::size_t kOutput101 = 6, kLongest101 = 5;
constexpr std::size_t kDartsNodes = 4, kDartsInputs = 2, kLongestDarts = 3;

using Path = std::vector<std::uint32_t>;  // operations

/// All paths of `least` to `most` operations, the shortest first.
std::vector<Path> all_paths(std::uint32_t operations, std::size_t least, std::size_t most) {
  std::vector<Path> paths{{}}, wanted;
  for (std::size_t length = 0; length <= most; ++length) {
    if (length >= least) wanted.insert(wanted.end(), paths.begin(), paths.end());
    std::vector<Path> longer;
    for (const Path& path : paths)
      for (std::uint32_t operation = 0; operation < operations; ++operation) {
        longer.push_back(path);
        longer.back().push_back(operation);
      }
    paths = std::move(longer);
  }
  return wanted;
}

std::string name_of(const std::string& start, const Path& path,
                    const std::vector<std::string>& operations) {
  std::string name = start;
  for (const std::uint32_t operation : path) name += "/" + operations[operation];
  return name;
}

/// Counters with a name each; what has none is not counted.
template <class Key>
struct Counters {
  std::map<Key, std::size_t> places;
  std::vector<EncodingColumn> columns;

  void add(Key key, std::string name, EncodingKind kind) {
    places.emplace(std::move(key), columns.size());
    columns.push_back({std::move(name), kind});
  }
  [[nodiscard]] std::vector<double> count(const std::vector<Key>& keys) const {
    std::vector<double> values(columns.size());
    for (const Key& key : keys)
      if (const auto place = places.find(key); place != places.end()) ++values[place->second];
    return values;
  }
};

/// `keys_of` gives what occurs in a cell.
template <class Key, class KeysOf>
CellEncoding counted(Counters<Key> counters, KeysOf keys_of) {
  std::vector<EncodingColumn> columns = counters.columns;
  return {std::move(columns), [counters = std::move(counters), keys_of](const Choices& choices) {
            return counters.count(keys_of(choices));
          }};
}

std::vector<Path> paths_101(const Choices& choices) {
  const std::vector<std::uint32_t> operations = nas_bench_101_vertices(choices);
  std::vector<std::vector<Path>> reaching(kOutput101 + 1);
  reaching[0] = {{}};
  for (const auto& [from, to] : nas_bench_101_edges(choices))  // ascending: `from` is complete
    for (Path path : reaching[from]) {
      if (to != kOutput101) path.push_back(operations[to - 1]);
      reaching[to].push_back(std::move(path));
    }
  return reaching[kOutput101];
}

// An edge, or the operation of a vertex.
using Entry101 = std::pair<std::size_t, std::size_t>;
constexpr std::size_t kVertexRow = 100;

std::vector<Entry101> entries_101(const Choices& choices) {
  std::vector<Entry101> entries;
  std::set<std::size_t> running;
  for (const auto& [from, to] : nas_bench_101_edges(choices)) {
    entries.emplace_back(from, to);
    if (to != kOutput101) running.insert(to);
  }
  const std::vector<std::uint32_t> operations = nas_bench_101_vertices(choices);
  for (const std::size_t vertex : running)
    entries.emplace_back(kVertexRow + vertex, operations[vertex - 1]);
  return entries;
}

struct DartsPath {
  std::size_t cell = 0, input = 0;
  Path path = {};
  friend auto operator<=>(const DartsPath&, const DartsPath&) = default;
};

// Every node is part of the output.
std::vector<DartsPath> paths_of_darts(const Choices& choices) {
  std::vector<DartsPath> all;
  std::map<std::pair<std::size_t, std::size_t>, std::vector<DartsPath>> reaching;  // by cell, node
  for (const DartsEdge& edge : darts_edges(choices)) {
    const std::vector<DartsPath> before = edge.input < kDartsInputs
                                              ? std::vector<DartsPath>{{edge.cell, edge.input}}
                                              : reaching[{edge.cell, edge.input - kDartsInputs}];
    for (DartsPath path : before) {
      path.path.push_back(edge.operation);
      all.push_back(path);
      reaching[{edge.cell, edge.node}].push_back(std::move(path));
    }
  }
  return all;
}

constexpr const char* kCellNames[] = {"normal", "reduce"};

using DartsEntry = std::vector<std::size_t>;  // cell, node, input, operation

}  // namespace

CellEncoding nas_bench_101_paths() {
  Counters<Path> counters;
  const std::vector<std::string>& operations = nas_bench_101_operations();
  for (const Path& path : all_paths(static_cast<std::uint32_t>(operations.size()), 0, kLongest101))
    counters.add(path, name_of("path", path, operations), EncodingKind::count);
  return counted(std::move(counters), paths_101);
}

CellEncoding nas_bench_101_adjacency() {
  Counters<Entry101> counters;
  for (std::size_t from = 0; from < kOutput101; ++from)
    for (std::size_t to = from + 1; to <= kOutput101; ++to)
      counters.add({from, to}, std::to_string(from) + ">" + std::to_string(to),
                   EncodingKind::indicator);
  const std::vector<std::string>& operations = nas_bench_101_operations();
  for (std::size_t vertex = 1; vertex < kOutput101; ++vertex)
    for (std::size_t operation = 0; operation < operations.size(); ++operation)
      counters.add({kVertexRow + vertex, operation},
                   std::to_string(vertex) + "=" + operations[operation], EncodingKind::indicator);
  return counted(std::move(counters), entries_101);
}

CellEncoding darts_paths() {
  Counters<DartsPath> counters;
  const std::vector<std::string>& operations = darts_operations();
  for (std::size_t cell = 0; cell < 2; ++cell)
    for (std::size_t input = 0; input < kDartsInputs; ++input)
      for (const Path& path :
           all_paths(static_cast<std::uint32_t>(operations.size()), 1, kLongestDarts))
        counters.add({cell, input, path},
                     name_of(kCellNames[cell] + (" " + std::to_string(input)), path, operations),
                     EncodingKind::count);
  return counted(std::move(counters), paths_of_darts);
}

CellEncoding darts_adjacency() {
  Counters<DartsEntry> counters;
  const std::vector<std::string>& operations = darts_operations();
  for (std::size_t cell = 0; cell < 2; ++cell)
    for (std::size_t node = 0; node < kDartsNodes; ++node)
      for (std::size_t input = 0; input < kDartsInputs + node; ++input)
        for (std::size_t operation = 0; operation < operations.size(); ++operation)
          counters.add({cell, node, input, operation},
                       kCellNames[cell] + (" " + std::to_string(input)) + ">" +
                           std::to_string(kDartsInputs + node) + "=" + operations[operation],
                       EncodingKind::indicator);
  return counted(std::move(counters), [](const Choices& choices) {
    std::vector<DartsEntry> entries;
    for (const DartsEdge& edge : darts_edges(choices))
      entries.push_back({edge.cell, edge.node, edge.input, edge.operation});
    return entries;
  });
}

CellEncoding nas_bench_201_adjacency() {
  Counters<DartsEntry> counters;  // from, to, operation
  const std::vector<std::string>& operations = nas_bench_201_operations();
  for (std::size_t to = 1; to < 4; ++to)
    for (std::size_t from = 0; from < to; ++from)
      for (std::size_t operation = 0; operation < operations.size(); ++operation)
        counters.add({from, to, operation},
                     std::to_string(from) + ">" + std::to_string(to) + "=" + operations[operation],
                     EncodingKind::indicator);
  return counted(std::move(counters), [](const Choices& choices) {
    std::vector<DartsEntry> entries;
    std::size_t i = 0;
    for (const CellEdge& edge : nas_bench_201_edges(choices))
      entries.push_back({edge.from, edge.to, choices[i++]});
    return entries;
  });
}

}  // namespace cosearch::nas
