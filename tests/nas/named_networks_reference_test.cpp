// The layers of the named networks against the lists that MAESTRO's authors exported from
// torchvision.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <set>
#include <string>

#include "datasets/table.h"
#include "nas/named_networks.h"
#include "tests/support/reference_data.h"

namespace cosearch::nas {
namespace {

using datasets::Table;

/// What the lists say of a convolution: output channels, input channels, window, input rows,
/// stride; a depthwise one has 1 output channel there.
using ListedShape = std::array<std::int64_t, 5>;

ListedShape listed_shape(const Layer& layer) {
  return {layer.is_depthwise() ? 1 : layer.G * layer.K, layer.G * layer.C, layer.R, layer.input_h,
          layer.stride_h};
}

ListedShape listed_shape(const Table& table, std::size_t row) {
  const auto value = [&](const char* name) { return table.integer(row, table.column(name)); };
  return {value("K"), value("C"), value("R"), value("Y"), value("stride_y")};
}

// The other networks of the table are variants: googlenet with auxiliary heads, Resnet50 with the
// stride in the 1x1, ResNeXt50 and alexnet written by hand.
TEST(NamedNetworksReference, HaveEveryLayerThatMaestroLists) {
  const std::string file = "maestro/layers.csv.gz";
  COSEARCH_NEEDS_REFERENCE(file);
  const Table table = Table::read(test::reference_data() / file);
  const auto network_column = table.column("network"), mapping = table.column("mapping");
  const std::map<std::string, std::string> ours{
      {"mnasnet", "mnasnet"}, {"squeezenet1_0", "squeezenet"}, {"vgg16", "vgg16"}};
  std::map<std::string, std::set<ListedShape>> shapes;
  for (const auto& [theirs, name] : ours) {
    const Network network = named_network(name);
    for (const NetworkNode& node : network.nodes())
      if (!node.layer.is_memory_bound()) shapes[theirs].insert(listed_shape(node.layer));
  }
  std::size_t checked = 0;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const auto known = shapes.find(table.text(row, network_column));
    if (known == shapes.end() || table.text(row, mapping) != "template") continue;
    ASSERT_TRUE(known->second.contains(listed_shape(table, row)))
        << known->first << ", " << table.where(row).text();
    ++checked;
  }
  std::printf("%s: %zu rows checked\n", file.c_str(), checked);
}

}  // namespace
}  // namespace cosearch::nas
