// The cells of NAS-Bench-201: which are one network, and what they cost.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <set>

#include "nas/cell_graph.h"
#include "nas/space.h"

namespace cosearch::nas {
namespace {

constexpr std::uint32_t kCells = 15625;
enum Operation { none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3 };
using Cell = std::array<int, 6>;  // operations of the edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3

/// The last edge varies fastest, as in the space's own order.
Cell cell_at(std::uint32_t index) {
  Cell cell{};
  for (std::size_t edge = 6; edge-- > 0; index /= 5) cell[edge] = static_cast<int>(index % 5);
  return cell;
}

std::string spelled(const Cell& cell) {
  const char* words[] = {"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"};
  const auto edge = [&](std::size_t number, int from) {
    return words[cell[number]] + ("~" + std::to_string(from) + "|");
  };
  return "|" + edge(0, 0) + "+|" + edge(1, 0) + edge(2, 1) + "+|" + edge(3, 0) + edge(4, 1) +
         edge(5, 2);
}

std::uint64_t scrambled(std::uint64_t x) {
  x = (x ^ (x >> 33)) * 0xFF51AFD7ED558CCDULL;
  x = (x ^ (x >> 33)) * 0xC4CEB9FE1A85EC53ULL;
  return x ^ (x >> 33);
}

struct Value {
  bool is_zero = true;
  std::uint64_t number = 0;
};

/// The cell as a function: each edge applies a random non-linear function with a weight of its own,
/// nodes add modulo 2^64, and an operation on nothing gives nothing.
std::uint64_t evaluated(const Cell& cell, const std::array<std::uint64_t, 6>& weights) {
  std::array<Value, 4> node;
  node[0] = {false, 0x123456789ABCDEFULL};
  std::size_t edge = 0;
  for (std::size_t to = 1; to < 4; ++to)
    for (std::size_t from = 0; from < to; ++from, ++edge) {
      if (cell[edge] == none || node[from].is_zero) continue;
      const auto operation = static_cast<std::uint64_t>(cell[edge]);
      const std::uint64_t result =
          cell[edge] == skip_connect
              ? node[from].number
              : scrambled(scrambled(node[from].number + operation) ^ weights[edge]);
      node[to] = {false, node[to].number + result};
    }
  return node[3].is_zero ? 0 : node[3].number;
}

/// Two cells are one network exactly when some way of handing the same weights to their edges makes
/// them the same function: the least value over all ways is equal.
std::uint64_t least_value(const Cell& cell) {
  std::array<std::uint64_t, 6> weights{};
  std::iota(weights.begin(), weights.end(), 1U);
  std::uint64_t least = ~std::uint64_t{0};
  do {
    std::array<std::uint64_t, 6> scrambled_weights{};
    std::transform(weights.begin(), weights.end(), scrambled_weights.begin(), scrambled);
    least = std::min(least, evaluated(cell, scrambled_weights));
  } while (std::next_permutation(weights.begin(), weights.end()));
  return least;
}

TEST(NasBench201, MergesExactlyTheCellsThatAreOneFunction) {
  const auto space = make_space("nas-bench-201");
  std::map<std::string, std::uint64_t> function_of;
  std::set<std::uint64_t> functions;
  for (std::uint32_t index = 0; index < kCells; ++index) {
    const std::string genotype = space->genotype(index);
    ASSERT_EQ(genotype, spelled(cell_at(index)));
    const std::uint64_t function = least_value(cell_at(index));
    functions.insert(function);
    const auto [known, is_new] = function_of.try_emplace(space->canonical(genotype), function);
    ASSERT_EQ(known->second, function) << genotype << " and " << known->first;
  }
  EXPECT_EQ(function_of.size(), functions.size());
}

TEST(NasBench201, TakesTheFirstSpellingOfTheSpaceAsCanonical) {
  const auto space = make_space("nas-bench-201");
  std::set<std::string> earlier;
  for (std::uint32_t index = 0; index < kCells; ++index) {
    const std::string genotype = space->genotype(index), canonical = space->canonical(genotype);
    if (canonical == genotype) earlier.insert(genotype);
    ASSERT_TRUE(earlier.contains(canonical)) << genotype;
  }
}

/// The benchmark's own form: every subexpression written out, '#' for a zero.
/// Source: NAS-Bench-201's code, CellStructure::to_unique_str with zeros considered.
std::string benchmark_form(const Cell& cell) {
  std::array<std::string, 4> node{"0"};
  std::size_t edge = 0;
  for (std::size_t to = 1; to < 4; ++to) {
    std::vector<std::string> terms;
    for (std::size_t from = 0; from < to; ++from, ++edge) {
      if (cell[edge] == none || node[from] == "#")
        terms.push_back("#");
      else if (cell[edge] == skip_connect)
        terms.push_back(node[from]);
      else
        terms.push_back("(" + node[from] + ")@" + std::to_string(cell[edge]));
    }
    std::sort(terms.begin(), terms.end());
    for (const std::string& term : terms) node[to] += (node[to].empty() ? "" : "+") + term;
  }
  return node[3];
}

/// The same idea done thoroughly: zeros vanish and nested sums are flattened.
std::string unfolded_form(const Cell& cell) {
  std::array<std::vector<std::string>, 4> terms;
  terms[0] = {"0"};
  const auto joined = [](std::vector<std::string> parts) {
    std::sort(parts.begin(), parts.end());
    return std::accumulate(parts.begin(), parts.end(), std::string(),
                           [](const std::string& a, const std::string& b) { return a + "+" + b; });
  };
  std::size_t edge = 0;
  for (std::size_t to = 1; to < 4; ++to)
    for (std::size_t from = 0; from < to; ++from, ++edge) {
      if (cell[edge] == none || terms[from].empty()) continue;
      if (cell[edge] == skip_connect)
        terms[to].insert(terms[to].end(), terms[from].begin(), terms[from].end());
      else
        terms[to].push_back("(" + joined(terms[from]) + ")@" + std::to_string(cell[edge]));
    }
  return joined(terms[3]);
}

// X. Dong et al., "NATS-Bench", TPAMI 2021, table 1, counts "6.5K" unique structures; the script
// that its authors publish prints 6,466 (github.com/D-X-Y/NATS-Bench/issues/43). That form neither
// refines ours nor the other way round: it keeps zero terms and the nesting of sums apart, and it
// unfolds what several readers share, which merges cells of different cost.
TEST(NasBench201, HasThePublishedNumberOfStructuresUnderTheBenchmarksOwnForm) {
  std::set<std::string> forms;
  for (std::uint32_t index = 0; index < kCells; ++index)
    forms.insert(benchmark_form(cell_at(index)));
  EXPECT_EQ(forms.size(), 6466U);
}

TEST(NasBench201, RefinesTheUnfoldedFormByWhatIsShared) {
  const auto space = make_space("nas-bench-201");
  std::map<std::string, std::string> unfolded_of;
  std::set<std::string> unfolded;
  for (std::uint32_t index = 0; index < kCells; ++index) {
    const std::string form = unfolded_form(cell_at(index));
    unfolded.insert(form);
    const auto [known, is_new] =
        unfolded_of.try_emplace(space->canonical(space->genotype(index)), form);
    ASSERT_EQ(known->second, form) << space->genotype(index);
  }
  EXPECT_GT(unfolded_of.size(), unfolded.size());
  std::printf("%u cells: %zu networks, %zu unfolded forms\n", kCells, unfolded_of.size(),
              unfolded.size());
}

std::map<std::uint64_t, std::int64_t> layer_counts(const Network& network) {
  std::map<std::uint64_t, std::int64_t> counts;
  for (const auto& [layer, count] : network.distinct_layers()) counts[hash_of(layer)] += count;
  return counts;
}

TEST(NasBench201, GivesAllSpellingsOfANetworkTheSameLayers) {
  const auto space = make_space("nas-bench-201", {{"cells", 1}});
  std::map<std::string, std::map<std::uint64_t, std::int64_t>> layers_of;
  std::map<std::string, std::int64_t> parameters_of;
  for (std::uint32_t index = 0; index < kCells; ++index) {
    const std::string genotype = space->genotype(index), canonical = space->canonical(genotype);
    const Network network = space->lower(genotype);
    ASSERT_EQ(layers_of.try_emplace(canonical, layer_counts(network)).first->second,
              layer_counts(network))
        << genotype;
    ASSERT_EQ(parameters_of.try_emplace(canonical, network.parameters()).first->second,
              network.parameters())
        << genotype;
  }
}

TEST(NasBench201, NeverRunsMoreWhenPruned) {
  const auto pruned = make_space("nas-bench-201", {{"cells", 1}});
  const auto spelled_out = make_space("nas-bench-201", {{"cells", 1}, {"prune", 0}});
  for (std::uint32_t index = 0; index < kCells; index += 7) {
    const std::string genotype = pruned->genotype(index);
    EXPECT_LE(pruned->lower(genotype).macs(), spelled_out->lower(genotype).macs()) << genotype;
  }
}

// Stem 3*9*16 weights on 32x32; two residual blocks of (9*16*32 + 9*32*32 + 16*32) weights on 16x16
// and the same MACs on 8x8; classifier 64*10. A cell of six 3x3 convolutions adds 6*9*16*16 weights
// on 32x32, and as many MACs in each of the 15 cells.
TEST(NasBench201, CostsByHandWhatTheEmptyAndTheLargestCellCost) {
  const auto space = make_space("nas-bench-201");
  constexpr std::int64_t kSkeleton =
      432 * 1024 + 2 * (9 * 16 * 32 + 9 * 32 * 32 + 16 * 32) * 256 + 640;
  Cell all_convolutions, all_none{};
  all_convolutions.fill(nor_conv_3x3);
  EXPECT_EQ(space->lower(spelled(all_none)).macs(), kSkeleton);
  EXPECT_EQ(space->lower(spelled(all_convolutions)).macs(),
            kSkeleton + 15 * std::int64_t{6 * 9 * 16 * 16} * 1024);
}

TEST(NasBench201, MakesPoolingAndAdditionsLayersOfTheirOwn) {
  const auto space = make_space("nas-bench-201", {{"cells", 1}});
  const auto count = [](const Network& network, LayerKind kind) {
    return std::count_if(network.nodes().begin(), network.nodes().end(),
                         [&](const NetworkNode& node) { return node.layer.kind == kind; });
  };
  // Three stages, each: pool(x), then pool(x) + x. Between them two pooled residual blocks; at the
  // end one global pooling and one batch normalisation of its own.
  const Network network =
      space->lower("|avg_pool_3x3~0|+|none~0|none~1|+|skip_connect~0|skip_connect~1|none~2|");
  EXPECT_EQ(count(network, LayerKind::pooling), 3 + 2 + 1);
  EXPECT_EQ(count(network, LayerKind::elementwise), 3 + 2 + 1);
}

TEST(CellGraph, DropsWhatIsStarvedOrUnused) {
  using Kind = CellEdge::Kind;
  // 0 -op-> 1 (never read); 2 has no input, so its operation into 3 has nothing to do.
  const CellGraph cell(4, {{0, 1, Kind::operation, 7},
                           {0, 2, Kind::zero},
                           {0, 3, Kind::operation, 8},
                           {2, 3, Kind::operation, 9}});
  ASSERT_EQ(boost::num_vertices(cell.graph()), 3U);  // input, operation 8, output
  EXPECT_EQ(cell.graph()[1].operation, 8);
  EXPECT_EQ(cell.operands(cell.output()), std::vector<CellGraph::VertexId>{1});
}

TEST(CellGraph, KeepsHowOftenSkipsAddAResult) {
  using Kind = CellEdge::Kind;
  const CellGraph once(2, {{0, 1, Kind::skip}});
  const CellGraph twice(3, {{0, 1, Kind::skip}, {0, 2, Kind::skip}, {1, 2, Kind::skip}});
  EXPECT_EQ(twice.operands(twice.output()), (std::vector<CellGraph::VertexId>{0, 0}));
  EXPECT_NE(once.canonical_form(), twice.canonical_form());
}

TEST(CellGraph, TellsASharedOperationFromTwoEqualOnes) {
  using Kind = CellEdge::Kind;
  const auto cell = [](Kind second) {
    return CellGraph(
        4, {{0, 1, Kind::operation, 3},
            second == Kind::skip ? CellEdge{1, 2, Kind::skip} : CellEdge{0, 2, Kind::operation, 3},
            {1, 3, Kind::operation, 2},
            {2, 3, Kind::operation, 2}});
  };
  EXPECT_NE(cell(Kind::skip).canonical_form(), cell(Kind::operation).canonical_form());
}

TEST(CellGraph, HasOneFormForEveryNumberingOfItsNodes) {
  using Kind = CellEdge::Kind;
  const CellGraph one(4, {{0, 1, Kind::operation, 3},
                          {0, 2, Kind::operation, 4},
                          {1, 3, Kind::operation, 2},
                          {2, 3, Kind::skip}});
  const CellGraph other(4, {{0, 1, Kind::operation, 4},
                            {0, 2, Kind::operation, 3},
                            {1, 3, Kind::skip},
                            {2, 3, Kind::operation, 2}});
  EXPECT_EQ(one.canonical_form(), other.canonical_form());
}

TEST(NasBench201, CrossesEdgeByEdgeWithEqualChances) {
  const auto space = make_space("nas-bench-201");
  const std::string first = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|";
  const std::string second =
      "|avg_pool_3x3~0|+|avg_pool_3x3~0|avg_pool_3x3~1|+|avg_pool_3x3~0|avg_pool_3x3~1|"
      "avg_pool_3x3~2|";
  Random random(1);
  std::map<std::string, int> times;
  constexpr int kChildren = 6400;
  for (int i = 0; i < kChildren; ++i) ++times[space->crossover(first, second, random)];
  ASSERT_EQ(times.size(), 64U);  // every mixture of six edges
  double chi_squared = 0;
  for (const auto& [child, count] : times) chi_squared += (count - 100) * (count - 100) / 100.0;
  EXPECT_LT(chi_squared, 115);  // 63 degrees of freedom, p = 1e-4
}

TEST(NasBench201, AveragesWhatItsSkipConnectionsPassOver) {
  const auto space = make_space("nas-bench-201");
  const auto length = [&](const std::string& genotype) {
    return space->skip_length(genotype).value();
  };
  EXPECT_EQ(length("|none~0|+|none~0|none~1|+|none~0|none~1|avg_pool_3x3~2|"), 0);
  EXPECT_EQ(length("|skip_connect~0|+|none~0|none~1|+|none~0|none~1|none~2|"), 0);
  EXPECT_EQ(length("|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"), 2);
  EXPECT_EQ(length("|none~0|+|none~0|skip_connect~1|+|skip_connect~0|skip_connect~1|none~2|"), 1);
  EXPECT_FALSE(make_space("alphanet")->skip_length(make_space("alphanet")->genotype(0)));
}

}  // namespace
}  // namespace cosearch::nas
