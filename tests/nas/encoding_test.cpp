#include "nas/encoding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "core/user_error.h"
#include "nas/nas_bench_201.h"

namespace cosearch::nas {
namespace {

std::shared_ptr<const NetworkSpace> cells() { return make_space("nas-bench-201"); }

std::map<std::string, double> non_zero(const std::string& encoding, const std::string& genotype) {
  const auto encoder = make_encoder(cells(), encoding);
  const std::vector<double> values = encoder->encode(genotype);
  EXPECT_EQ(values.size(), encoder->columns().size());
  std::map<std::string, double> named;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] != 0) named[encoder->columns()[i].name] = values[i];
  return named;
}

// 0-1 pool, 0-2 1x1, 1-2 skip, 0-3 1x1, 1-3 none, 2-3 3x3: three ways through, of which the one by
// nodes 1 and 2 loses its skip.
const std::string kCell =
    "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|none~1|nor_conv_3x3~2|";

TEST(Encoding, CountsPathsByHand) {
  EXPECT_EQ(non_zero("path", kCell),
            (std::map<std::string, double>{{"path/nor_conv_1x1", 1},
                                           {"path/nor_conv_1x1/nor_conv_3x3", 1},
                                           {"path/avg_pool_3x3/nor_conv_3x3", 1}}));
}

TEST(Encoding, DescribesACellByHand) {
  EXPECT_EQ(non_zero("running", kCell),
            (std::map<std::string, double>{
                {"nor_conv_1x1", 2}, {"nor_conv_3x3", 1}, {"avg_pool_3x3", 1}}));
  EXPECT_EQ(non_zero("spelled", kCell), (std::map<std::string, double>{{"none", 1},
                                                                       {"skip_connect", 1},
                                                                       {"nor_conv_1x1", 2},
                                                                       {"nor_conv_3x3", 1},
                                                                       {"avg_pool_3x3", 1}}));
  const auto cell = non_zero("cell", kCell);
  EXPECT_EQ(cell.at("paths"), 3);
  EXPECT_EQ(cell.at("edges"), 7);
  EXPECT_EQ(cell.at("least length"), 1);
  EXPECT_EQ(cell.at("most length"), 2);
  EXPECT_EQ(cell.at("most convolutions"), 2);
  EXPECT_EQ(cell.at("most pools"), 1);
  EXPECT_EQ(cell.count("straight paths"), 0);
}

// --- Paths and adjacency against brute force
// ------------------------------------------------------

std::map<std::string, double> non_zero(const NetworkEncoder& encoder, const std::string& genotype) {
  const std::vector<double> values = encoder.encode(genotype);
  EXPECT_EQ(values.size(), encoder.columns().size());
  std::map<std::string, double> named;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] != 0) named[encoder.columns()[i].name] = values[i];
  return named;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text)
    if (c == separator)
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

/// Every subset of the five vertices, in order, is a path where all its steps are edges.
std::map<std::string, double> paths_101_by_brute_force(const std::string& genotype) {
  const std::vector<std::string> halves = split(genotype, ';');
  const std::vector<std::string> rows = split(halves[0], '|'), operations = split(halves[1], '|');
  const auto feeds = [&](std::size_t from, std::size_t to) {
    return rows[from][to - from - 1] == '1';
  };
  std::map<std::string, double> counts;
  for (unsigned subset = 0; subset < 32; ++subset) {
    std::size_t at = 0;
    std::string name = "path";
    bool is_path = true;
    for (std::size_t v = 1; v <= 5; ++v) {
      if ((subset >> (v - 1) & 1) == 0) continue;
      is_path = is_path && feeds(at, v);
      name += "/" + operations[v - 1];
      at = v;
    }
    if (is_path && feeds(at, 6)) ++counts[name];
  }
  return counts;
}

TEST(Encoding, CountsPathsOfNasBench101AsBruteForceDoes) {
  const std::shared_ptr<const NetworkSpace> space = make_space("nas-bench-101");
  const auto encoder = make_encoder(space, "path");
  EXPECT_EQ(encoder->columns().size(), 1U + 3 + 9 + 27 + 81 + 243);
  Random random(5, "paths");
  for (int i = 0; i < 300; ++i) {
    const std::string genotype = space->sample(random);
    EXPECT_EQ(non_zero(*encoder, genotype), paths_101_by_brute_force(genotype)) << genotype;
  }
}

/// Every sequence of at most three of a cell's eight edges is a path where each starts at the node
/// that the one before it enters.
std::map<std::string, double> paths_of_darts_by_brute_force(const std::string& genotype) {
  const std::vector<std::string> cells = split(genotype, ';');
  std::map<std::string, double> counts;
  for (std::size_t cell = 0; cell < 2; ++cell) {
    const std::vector<std::string> edges = split(cells[cell], '|');
    const auto input = [&](std::size_t e) { return std::stoul(split(edges[e], '~')[1]); };
    const auto operation = [&](std::size_t e) { return split(edges[e], '~')[0]; };
    const auto node = [](std::size_t e) { return e / 2 + 2; };
    for (std::size_t a = 0; a < 8; ++a) {
      if (input(a) > 1) continue;
      const std::string one =
          (cell == 0 ? "normal " : "reduce ") + std::to_string(input(a)) + "/" + operation(a);
      ++counts[one];
      for (std::size_t b = 0; b < 8; ++b) {
        if (input(b) != node(a)) continue;
        ++counts[one + "/" + operation(b)];
        for (std::size_t c = 0; c < 8; ++c)
          if (input(c) == node(b)) ++counts[one + "/" + operation(b) + "/" + operation(c)];
      }
    }
  }
  return counts;
}

TEST(Encoding, CountsPathsOfDartsAsBruteForceDoes) {
  const std::shared_ptr<const NetworkSpace> space = make_space("darts");
  const auto encoder = make_encoder(space, "path");
  EXPECT_EQ(encoder->columns().size(), 2 * 2 * (7U + 49 + 343));
  Random random(6, "paths");
  for (int i = 0; i < 100; ++i) {
    const std::string genotype = space->sample(random);
    EXPECT_EQ(non_zero(*encoder, genotype), paths_of_darts_by_brute_force(genotype)) << genotype;
  }
}

TEST(Encoding, ReadsAdjacencyOffTheCanonicalSpelling) {
  const std::string chain = "100000|10000|0001|000|00|0;conv1x1|maxpool3x3|conv3x3|conv3x3|conv3x3";
  const std::shared_ptr<const NetworkSpace> vertices = make_space("nas-bench-101");
  EXPECT_EQ(non_zero(*make_encoder(vertices, "adjacency"), chain),
            (std::map<std::string, double>{
                {"0>1", 1}, {"1>2", 1}, {"2>6", 1}, {"1=conv1x1", 1}, {"2=maxpool3x3", 1}}));
  for (const std::string name : {"nas-bench-101", "nas-bench-201", "darts"}) {
    const std::shared_ptr<const NetworkSpace> space = make_space(name);
    const auto encoder = make_encoder(space, "adjacency");
    Random random(7, "adjacency");
    std::map<std::vector<double>, std::string> network_of;
    for (int i = 0; i < 200; ++i) {
      const std::string genotype = space->sample(random), same = space->canonical(genotype);
      EXPECT_EQ(encoder->encode(genotype), encoder->encode(same)) << genotype;
      EXPECT_EQ(network_of.emplace(encoder->encode(genotype), same).first->second, same);
    }
  }
}

TEST(Encoding, SpellingsOfOneNetworkAreEncodedAlike) {
  const auto space = cells();
  std::map<std::string, std::string> first;  // by canonical genotype
  std::size_t compared = 0;
  for (const char* name : {"path", "cell", "running"}) {
    const auto encoder = make_encoder(space, name);
    for (std::uint64_t index = 0; index < 15625; index += 7) {
      const std::string genotype = space->genotype(index), same = space->canonical(genotype);
      if (same == genotype) continue;
      EXPECT_EQ(encoder->encode(genotype), encoder->encode(same)) << name << " " << genotype;
      ++compared;
    }
  }
  EXPECT_GT(compared, 3000);
}

TEST(Encoding, OneHotAndUnitFitEverySpace) {
  for (const std::string& name : space_names()) {
    SCOPED_TRACE(name);
    const std::shared_ptr<const NetworkSpace> space = make_space(name);
    const auto one_hot = make_encoder(space, "one-hot"), unit = make_encoder(space, "unit");
    Random random(1, "encoding test");
    for (int i = 0; i < 20; ++i) {
      const std::string genotype = space->sample(random);
      const std::vector<double> bits = one_hot->encode(genotype), scaled = unit->encode(genotype);
      EXPECT_EQ(std::accumulate(bits.begin(), bits.end(), 0.0), static_cast<double>(scaled.size()));
      EXPECT_EQ(bits.size(), one_hot->columns().size());
      for (const double value : scaled) EXPECT_TRUE(value >= 0 && value <= 1);
    }
  }
}

TEST(Encoding, GraphsAreTopologicalAndJoinInputToOutput) {
  const auto space = cells();
  for (std::uint64_t index = 0; index < 15625; index += 101) {
    const EncodedGraph graph = encode_graph(*space, space->genotype(index));
    EXPECT_EQ(graph.operations.front(), 0U);
    EXPECT_EQ(graph.operations.back(), 1U);
    for (const std::uint32_t operation : graph.operations)
      EXPECT_LT(operation, graph_operations(*space));
    for (const auto& [from, to] : graph.edges) EXPECT_LT(from, to);
  }
  EXPECT_EQ(encode_graph(*space, kCell).operations, (std::vector<std::uint32_t>{0, 4, 2, 2, 3, 1}));
}

TEST(Encoding, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW((void)make_encoder(cells(), "paths"), UserError);
  EXPECT_THROW((void)make_encoder(make_space("alphanet"), "path"), UserError);
  EXPECT_THROW((void)make_encoder(cells(), "path")->encode("|x~0|"), UserError);
  EXPECT_EQ(graph_operations(*make_space("alphanet")), 0U);
  EXPECT_THROW((void)make_encoder(make_space("darts"), "cell"), UserError);
}

}  // namespace
}  // namespace cosearch::nas
