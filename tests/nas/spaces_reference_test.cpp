// Layer lists, multiply-accumulates and parameters of whole spaces against published tables.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <set>

#include "datasets/table.h"
#include "nas/space.h"
#include "tests/support/reference_data.h"

namespace cosearch::nas {
namespace {

using datasets::Table;

Table read_reference(const std::string& file) { return Table::read(test::reference_data() / file); }

void report_rows(const std::string& file, std::size_t rows) {
  std::printf("%s: %zu rows checked\n", file.c_str(), rows);
}

/// Numbers printed in millions to six decimals are counts: exact.
std::int64_t from_millions(double millions) { return std::llround(millions * 1e6); }

TEST(NasBench201Reference, ParametersEqualTheTable) {
  const std::string file = "nas/nb201_accuracy.csv.gz";
  COSEARCH_NEEDS_REFERENCE(file);
  const Table table = read_reference(file);
  const auto genotype = table.column("arch"), parameters = table.column("params_m");
  const auto space = make_space("nas-bench-201", {{"prune", 0}});
  for (std::size_t row = 0; row < table.rows(); ++row)
    ASSERT_EQ(space->lower(table.text(row, genotype)).parameters(),
              from_millions(table.number(row, parameters)))
        << table.text(row, genotype);
  report_rows(file, table.rows());
}

TEST(NasBenchMacroReference, ParametersAndMacsEqualTheTable) {
  const std::string file = "nas/nbmacro_cifar10.csv.gz";
  COSEARCH_NEEDS_REFERENCE(file);
  const Table table = read_reference(file);
  const auto genotype = table.column("arch"), parameters = table.column("params"),
             macs = table.column("flops");
  const auto space = make_space("nas-bench-macro");
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const Network network = space->lower(table.text(row, genotype));
    ASSERT_EQ(network.parameters(), table.integer(row, parameters)) << table.text(row, genotype);
    ASSERT_EQ(network.macs(), table.integer(row, macs)) << table.text(row, genotype);
  }
  report_rows(file, table.rows());
}

// The authors trained each distinct network once and listed it under all of its spellings.
TEST(NasBenchMacroReference, SpellingsOfOneNetworkShareTheirAccuracies) {
  const std::string file = "nas/nbmacro_cifar10.csv.gz";
  COSEARCH_NEEDS_REFERENCE(file);
  const Table table = read_reference(file);
  const auto genotype = table.column("arch");
  const auto space = make_space("nas-bench-macro");
  std::map<std::string, std::string> runs_of;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    std::string runs;
    for (const char* run : {"acc1", "acc2", "acc3"})
      runs += table.text(row, table.column(run)) + " ";
    const auto [known, is_new] =
        runs_of.try_emplace(space->canonical(table.text(row, genotype)), runs);
    ASSERT_EQ(known->second, runs) << table.text(row, genotype);
  }
  std::printf("%s: %zu rows are %zu networks\n", file.c_str(), table.rows(), runs_of.size());
}

TEST(DartsReference, MacsAndParametersEqualTheTable) {
  const std::string file = "ren2022/nasbench301_archs.csv.gz";
  COSEARCH_NEEDS_REFERENCE(file);
  const Table table = read_reference(file);
  const auto large = make_space("darts"), small = make_space("darts", {{"image", 16}});
  const auto normal = table.column("normal"), reduce = table.column("reduce"),
             macs_32 = table.column("macs_32x32"), macs_16 = table.column("macs_16x16"),
             parameters = table.column("params_derived");
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string genotype = table.text(row, normal) + ";" + table.text(row, reduce);
    ASSERT_TRUE(large->contains(genotype)) << genotype;
    const Network network = large->lower(genotype);
    ASSERT_EQ(network.macs(), table.integer(row, macs_32)) << genotype;
    ASSERT_EQ(network.parameters(), table.integer(row, parameters)) << genotype;
    ASSERT_EQ(small->lower(genotype).macs(), table.integer(row, macs_16)) << genotype;
  }
  report_rows(file, table.rows());
}

TEST(AlphaNetReference, MacsAndParametersEqualTheTable) {
  const std::string file = "ren2022/alphanet_archs.csv.gz";
  COSEARCH_NEEDS_REFERENCE(file);
  const Table table = read_reference(file);
  const auto space = make_space("alphanet", {{"idle_weights", 1}});
  const auto macs = table.column("macs_m"), parameters = table.column("params_m");
  const std::size_t first = table.column("resolution"), last = table.column("d7");
  for (std::size_t row = 0; row < table.rows(); ++row) {
    std::string genotype = table.text(row, first);
    for (std::size_t column = first + 1; column <= last; ++column)
      genotype += ";" + table.text(row, column);
    ASSERT_TRUE(space->contains(genotype)) << genotype;
    const Network network = space->lower(genotype);
    // The table's MACs went through single precision; rounded to it, ours must be the same number.
    ASSERT_EQ(static_cast<float>(network.macs()),
              static_cast<float>(from_millions(table.number(row, macs))))
        << genotype;
    ASSERT_EQ(network.parameters(), from_millions(table.number(row, parameters))) << genotype;
  }
  report_rows(file, table.rows());
}

/// A convolution on the columns of the layer table, which gives depthwise layers K = 1, C =
/// channels, and fully connected layers stride 0.
std::string table_row(const NetworkNode& node) {
  const Layer& layer = node.layer;
  const bool classifier = node.name.ends_with("classifier");
  const std::string type = layer.is_depthwise() ? "DSCONV" : classifier ? "FC" : "CONV";
  std::string text = type;
  for (const std::int64_t value :
       {layer.K, layer.is_depthwise() ? layer.G : layer.C, layer.R, layer.S, layer.input_h,
        layer.input_w, classifier ? 0 : layer.stride_h, layer.P, layer.macs()})
    text += "," + std::to_string(value);
  return text;
}

std::vector<std::string> convolutions_of(const Network& network) {
  std::vector<std::string> rows;
  for (const NetworkNode& node : network.nodes())
    if (!node.layer.is_memory_bound()) rows.push_back(table_row(node));
  return rows;
}

/// Layer lists by space and architecture, in order.
std::map<std::pair<std::string, std::string>, std::vector<std::string>> listed_layers(
    const Table& table) {
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> lists;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    std::string text = table.text(row, table.column("type"));
    for (const char* column : {"K", "C", "R", "S", "Y", "X", "stride", "out_size", "macs_padded"})
      text += "," + table.text(row, table.column(column));
    lists[{table.text(row, table.column("space")), table.text(row, table.column("arch_id"))}]
        .push_back(text);
  }
  return lists;
}

std::map<std::string, std::string> genotypes_by_id(const Table& table, const std::string& first,
                                                   const std::string& last) {
  std::map<std::string, std::string> genotypes;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    std::string& genotype = genotypes[table.text(row, table.column("arch_id"))];
    for (std::size_t column = table.column(first); column <= table.column(last); ++column)
      genotype += (genotype.empty() ? "" : ";") + table.text(row, column);
  }
  return genotypes;
}

void check_layer_lists(const std::string& listed_space, const NetworkSpace& space,
                       const std::map<std::string, std::string>& genotypes) {
  const std::string file = "ren2022/layers_sample.csv.gz";
  std::size_t networks = 0, layers = 0;
  for (const auto& [key, rows] : listed_layers(read_reference(file))) {
    if (key.first != listed_space) continue;
    SCOPED_TRACE(listed_space + " " + key.second);
    EXPECT_EQ(convolutions_of(space.lower(genotypes.at(key.second))), rows);
    ++networks;
    layers += rows.size();
  }
  std::printf("%s, %s: %zu networks, %zu rows checked\n", file.c_str(), listed_space.c_str(),
              networks, layers);
}

TEST(DartsReference, LayersEqualTheListsInOrder) {
  const std::string file = "ren2022/nasbench301_archs.csv.gz";
  COSEARCH_NEEDS_REFERENCE(file);
  COSEARCH_NEEDS_REFERENCE("ren2022/layers_sample.csv.gz");
  const auto genotypes = genotypes_by_id(read_reference(file), "normal", "reduce");
  check_layer_lists("nb301_32", *make_space("darts"), genotypes);
  check_layer_lists("nb301_16aux", *make_space("darts", {{"image", 16}, {"auxiliary_head", 1}}),
                    genotypes);
}

TEST(AlphaNetReference, LayersEqualTheListsInOrder) {
  const std::string file = "ren2022/alphanet_archs.csv.gz";
  COSEARCH_NEEDS_REFERENCE(file);
  COSEARCH_NEEDS_REFERENCE("ren2022/layers_sample.csv.gz");
  check_layer_lists("alphanet", *make_space("alphanet"),
                    genotypes_by_id(read_reference(file), "resolution", "d7"));
}

}  // namespace
}  // namespace cosearch::nas
