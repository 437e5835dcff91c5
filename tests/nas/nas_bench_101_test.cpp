// The cells of NAS-Bench-101: which are one network, and what they cost.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/isomorphism.hpp>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "core/random.h"
#include "nas/space.h"
#include "tests/nas/nas_bench_101_cells.h"

namespace cosearch::nas {
namespace {

using test::Cell;
using test::cell_of;
using test::cells_of;
using test::kOutput;
using test::kVertices;
using test::live_vertices;
using test::networks_of;

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS>;

struct LiveGraph {
  Graph graph;
  std::vector<std::size_t> labels;
};

LiveGraph live_graph(const Cell& cell) {
  const std::vector<std::size_t> live = live_vertices(cell);
  LiveGraph result{Graph(live.size()), {}};
  for (std::size_t i = 0; i < live.size(); ++i) {
    result.labels.push_back(live[i] == 0 ? 3 : live[i] == kOutput ? 4 : cell.operation[live[i]]);
    for (std::size_t j = 0; j < live.size(); ++j)
      if (cell.feeds[live[i]][live[j]]) boost::add_edge(i, j, result.graph);
  }
  return result;
}

/// Boost's vertex invariant, of the kind it asks for.
struct LabelOf {
  using argument_type = Graph::vertex_descriptor;
  using result_type = std::size_t;

  const LiveGraph* of;

  std::size_t operator()(Graph::vertex_descriptor vertex) const { return of->labels[vertex]; }
};

bool are_isomorphic(const LiveGraph& one, const LiveGraph& other) {
  // Boost only asks that every edge of the one be an edge of the other.
  if (one.labels.size() != other.labels.size() ||
      boost::num_edges(one.graph) != boost::num_edges(other.graph))
    return false;
  std::vector<Graph::vertex_descriptor> map(one.labels.size());
  return boost::isomorphism(
      one.graph, other.graph,
      boost::make_iterator_property_map(map.begin(), boost::get(boost::vertex_index, one.graph)),
      LabelOf{&one}, LabelOf{&other}, 5, boost::get(boost::vertex_index, one.graph),
      boost::get(boost::vertex_index, other.graph));
}

TEST(NasBench101, MergesExactlyTheSmallCellsThatAreIsomorphic) {
  const auto space = make_space("nas-bench-101");
  const std::vector<Cell> cells = cells_of(2);
  std::vector<LiveGraph> graphs;
  std::vector<std::string> canonical;
  for (const Cell& cell : cells) {
    graphs.push_back(live_graph(cell));
    canonical.push_back(space->canonical(cell.spelled()));
  }
  for (std::size_t i = 0; i < cells.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      EXPECT_EQ(canonical[i] == canonical[j], are_isomorphic(graphs[i], graphs[j]))
          << cells[i].spelled() << " " << cells[j].spelled();
}

TEST(NasBench101, MergesExactlyTheNeighboursThatAreIsomorphic) {
  const auto space = make_space("nas-bench-101");
  Random random(8, "cells");
  int equal = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string genotype = space->sample(random);
    const LiveGraph graph = live_graph(cell_of(genotype));
    ASSERT_EQ(cell_of(genotype).spelled(), genotype);
    for (const std::string& neighbour : space->neighbours(genotype)) {
      const bool same = space->canonical(genotype) == space->canonical(neighbour);
      EXPECT_EQ(same, are_isomorphic(graph, live_graph(cell_of(neighbour))))
          << genotype << " " << neighbour;
      equal += same ? 1 : 0;
    }
  }
  EXPECT_GT(equal, 200);
}

TEST(NasBench101, HasOneSpellingForAllNumberings) {
  const auto space = make_space("nas-bench-101");
  Random random(9, "numberings");
  int renumbered = 0;
  for (int i = 0; i < 300; ++i) {
    const Cell cell = cell_of(space->sample(random));
    std::array<std::size_t, kVertices> place{};
    std::iota(place.begin(), place.end(), std::size_t{0});
    while (std::next_permutation(place.begin() + 1, place.begin() + kOutput)) {
      Cell other;
      bool is_forward = true;
      for (std::size_t from = 0; from < kVertices; ++from)
        for (std::size_t to = 0; to < kVertices; ++to) {
          if (!cell.feeds[from][to]) continue;
          other.feeds[place[from]][place[to]] = true;
          is_forward = is_forward && place[from] < place[to];
        }
      for (std::size_t v = 1; v < kOutput; ++v) other.operation[place[v]] = cell.operation[v];
      if (!is_forward) continue;
      EXPECT_EQ(space->canonical(other.spelled()), space->canonical(cell.spelled()));
      ++renumbered;
    }
  }
  EXPECT_GT(renumbered, 1000);
}

// By hand: the input projected; one operation with or without a way around it.
TEST(NasBench101, CountsTheSmallestNetworks) {
  const auto space = make_space("nas-bench-101");
  EXPECT_EQ(networks_of(*space, 0), 1U);
  EXPECT_EQ(networks_of(*space, 1), 6U);
}

// The example of the authors' repository (github.com/google-research/nasbench, README.md), for
// which the table answers 2,694,282 trainable parameters.
TEST(NasBench101, HasTheParametersOfThePublishedExample) {
  const Network network = make_space("nas-bench-101")
                              ->lower(
                                  "111010|00001|0001|100|01|1;"
                                  "conv1x1|conv3x3|conv3x3|conv3x3|maxpool3x3");
  EXPECT_EQ(network.parameters(), 2'694'282);
}

// Three parts of 128 channels: 43, 43 and 42; the vertex that feeds one of each has 43.
TEST(NasBench101, SharesChannelsAndTruncates) {
  const Network network =
      make_space("nas-bench-101", {{"modules", 1}})
          ->lower("100000|01110|0000|001|01|1;conv1x1|conv3x3|conv1x1|conv1x1|maxpool3x3");
  std::int64_t parts = 0;
  for (const NetworkNode& node : network.nodes()) {
    if (!node.name.starts_with("stack1.module1.vertex")) continue;
    EXPECT_LE(node.layer.G * node.layer.K, 43) << node.name;
    if (node.layer.G * node.layer.K == 42) ++parts;
  }
  EXPECT_EQ(parts, 1);
}

}  // namespace
}  // namespace cosearch::nas
