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
}

}  // namespace
}  // namespace cosearch::nas
