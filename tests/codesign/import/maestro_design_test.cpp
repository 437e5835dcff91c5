#include "codesign/import/maestro_design.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "accel/access_counts.h"
#include "tests/datasets/support.h"

namespace cosearch::codesign::test {
namespace {

using accel::Dimension;
using accel::Loop;
using cosearch::test::message_of;
using datasets::MaestroNetwork;
using datasets::parse_maestro_hardware;
using datasets::parse_maestro_network;

constexpr std::int8_t kTemporal = Loop::kTemporal;

constexpr const char* kKcpWs =
    "SpatialMap(1,1) K; TemporalMap(64,64) C; TemporalMap(Sz(R),Sz(R)) R;\n"
    "TemporalMap(Sz(S),Sz(S)) S; TemporalMap(Sz(R),1) Y; TemporalMap(Sz(S),1) X;\n"
    "Cluster(64, P);\n"
    "SpatialMap(1,1) C; TemporalMap(Sz(R),1) Y; TemporalMap(Sz(S),1) X;\n"
    "TemporalMap(Sz(R),Sz(R)) R; TemporalMap(Sz(S),Sz(S)) S;\n";
constexpr const char* kRs =
    "SpatialMap(1,1) Y'; TemporalMap(1,1) X'; TemporalMap(1,1) C; TemporalMap(16,16) K;\n"
    "TemporalMap(Sz(R),Sz(R)) R; TemporalMap(Sz(S),Sz(S)) S; Cluster(Sz(R),P);\n"
    "SpatialMap(1,1) Y; SpatialMap(1,1) R; TemporalMap(Sz(S),Sz(S)) S;\n";

MaestroNetwork network(const std::string& dataflow,
                       const std::string& dimensions = "K: 128, C: 100, R: 3, S: 3, Y: 16, X: 18",
                       const std::string& type = "CONV", int stride = 1) {
  return parse_maestro_network(
      fmt::format("Network n {{ Layer l {{ Type: {}\nStride {{ X: {}, Y: {} }}\n"
                  "Dimensions {{ {} }}\nDataflow {{\n{}\n}} }} }}",
                  type, stride, stride, dimensions, dataflow),
      "a.m");
}

LayerDesign import(const MaestroNetwork& from, int num_pes = 256,
                   const MaestroOptions& options = {}) {
  const auto hardware = parse_maestro_hardware(
      fmt::format("num_pes: {}\nl1_size_cstr: 100\nl2_size_cstr: 3000\nnoc_bw_cstr: 32\n"
                  "offchip_bw_cstr: 50\n",
                  num_pes),
      "hw.m");
  LayerDesign design = import_maestro(from, from.layers.front(), hardware, options);
  const auto machine_problems = problems_in(design.machine);
  EXPECT_TRUE(machine_problems.empty()) << machine_problems.front();
  if (options.capacities) return design;
  const auto problems = problems_in(design.nest, design.layer, design.machine);
  EXPECT_TRUE(problems.empty()) << problems.front();
  return design;
}

/// Loops outside of the clusters: at DRAM, then at L2.
std::vector<Loop> outer_loops(const LayerDesign& design) {
  std::vector<Loop> loops = design.nest.levels[0].loops;
  const auto& shared = design.nest.levels[1].loops;
  loops.insert(loops.end(), shared.begin(), shared.end());
  return loops;
}

std::string message(const std::string& dataflow,
                    const std::string& dimensions = "K: 128, C: 100, R: 3, S: 3, Y: 16, X: 18",
                    const std::string& type = "CONV", int num_pes = 256) {
  return message_of([&] { import(network(dataflow, dimensions, type), num_pes); });
}

TEST(MaestroImport, WeightStationaryOverOutputAndInputChannels) {
  const LayerDesign design = import(network(kKcpWs));
  ASSERT_EQ(design.machine.levels.size(), 4U);  // DRAM, L2, one cluster, L1
  EXPECT_EQ(design.machine.levels[1].children(), 4);
  EXPECT_EQ(design.machine.levels[2].children(), 64);
  EXPECT_EQ(design.machine.levels[1].read_bandwidth, 32);
  EXPECT_EQ(design.machine.levels[0].read_bandwidth, 50);
  // Each output channel needs its weights only: L2 may fill while it computes. Not so the input
  // channels, which all come again for the next ones.
  EXPECT_EQ(design.nest.levels[0].loops, (std::vector<Loop>{{Dimension::K, 4, kTemporal}}));
  const std::vector<Loop> shared{{Dimension::K, 4, kTemporal},
                                 {Dimension::C, 64, kTemporal},
                                 {Dimension::P, 1, kTemporal},
                                 {Dimension::Q, 1, kTemporal},
                                 {Dimension::K, 1, 0}};
  EXPECT_EQ(outer_loops(design), shared);
  const std::vector<Loop> cluster{{Dimension::C, 1, 0}};
  EXPECT_EQ(design.nest.levels[2].loops, cluster);
  const std::vector<Loop> inside{{Dimension::R, 1, kTemporal}, {Dimension::S, 1, kTemporal}};
  EXPECT_EQ(design.nest.levels[3].loops, inside);
}

TEST(MaestroImport, RowsAndTapsTogetherAreALoopOverTheTaps) {
  const LayerDesign design = import(network(kRs));
  EXPECT_EQ(design.machine.levels[1].children(), 85);  // one element of 256 is left over
  const std::vector<Loop> shared{{Dimension::Q, 1, kTemporal},
                                 {Dimension::C, 1, kTemporal},
                                 {Dimension::K, 16, kTemporal},
                                 {Dimension::P, 1, 0}};
  EXPECT_EQ(outer_loops(design), shared);
  const std::vector<Loop> cluster{{Dimension::R, 1, 0}};
  EXPECT_EQ(design.nest.levels[2].loops, cluster);
}

TEST(MaestroImport, AWindowOfSeveralOutputsMovesByAsMany) {
  const LayerDesign design = import(network(
      "SpatialMap(Sz(R),1) Y; TemporalMap(8+Sz(S)-1,8) X; Cluster(8,P); SpatialMap(Sz(S),1) X;"));
  const std::vector<Loop> shared{{Dimension::Q, 8, kTemporal}, {Dimension::P, 1, 0}};
  EXPECT_EQ(outer_loops(design), shared);
  const std::vector<Loop> cluster{{Dimension::Q, 1, 0}};
  EXPECT_EQ(design.nest.levels[2].loops, cluster);
}

TEST(MaestroImport, StridesDoNotChangeTheWindowsAsWritten) {
  const LayerDesign design = import(network("TemporalMap(Sz(R),1) Y; SpatialMap(Sz(S),1) X;",
                                            "K: 1, C: 1, R: 3, S: 3, Y: 17, X: 18", "CONV", 2));
  EXPECT_EQ(design.layer.P, 8);
  EXPECT_EQ(design.layer.Q, 8);
  const std::vector<Loop> shared{{Dimension::P, 1, kTemporal}, {Dimension::Q, 1, 0}};
  EXPECT_EQ(outer_loops(design), shared);
}

TEST(MaestroImport, CountsByHand) {
  // 4 x 5 outputs of 6 channels from 2, 3x3 kernel, channels over 3 units: 2 passes over the input,
  // each of 4 rows of windows that slide over 3 x 7 words; weights once; each output twice, for the
  // second input channel comes after all positions.
  const LayerDesign design =
      import(network("SpatialMap(1,1) K; TemporalMap(1,1) C; TemporalMap(Sz(R),1) Y; "
                     "TemporalMap(Sz(S),1) X;",
                     "K: 6, C: 2, R: 3, S: 3, Y: 6, X: 7"),
             3);
  const auto counts =
      count_accesses(design.layer, design.machine, design.nest, accel::Accounting::exact);
  EXPECT_EQ(counts.macs, 6 * 2 * 4 * 5 * 9);
  EXPECT_EQ(counts.levels[1][0].reads, 2 * 2 * 4 * 3 * 7);
  EXPECT_EQ(counts.levels[1][1].reads, 6 * 2 * 9);
  EXPECT_EQ(counts.levels[1][2].updates, 2 * 6 * 4 * 5);
  EXPECT_EQ(counts.levels[0][0].reads, 2 * 6 * 7);
  EXPECT_EQ(counts.instances[2], 3);
  EXPECT_EQ(counts.compute_cycles, 2 * 2 * 4 * 5 * 9);
}

TEST(MaestroImport, DepthwiseChannelsAreGroups) {
  const LayerDesign design =
      import(network("SpatialMap(1,1) C; TemporalMap(Sz(R),1) Y; TemporalMap(Sz(S),1) X;",
                     "K: 1, C: 300, R: 3, S: 3, Y: 9, X: 9", "DSCONV"));
  EXPECT_TRUE(design.layer.is_depthwise());
  EXPECT_EQ(design.layer.G, 300);
  EXPECT_EQ(outer_loops(design).front(), (Loop{Dimension::G, 256, kTemporal}));
  EXPECT_EQ(outer_loops(design).back(), (Loop{Dimension::G, 1, 0}));
}

TEST(MaestroImport, MatrixProductsAndGroups) {
  const LayerDesign product =
      import(network("TemporalMap(1,1) N; SpatialMap(1,1) M; TemporalMap(10,10) K; Cluster(10,P); "
                     "SpatialMap(1,1) K;",
                     "M: 30, N: 40, K: 50", "GEMM"));
  EXPECT_EQ(product.layer.kind, LayerKind::gemm);
  EXPECT_EQ(product.layer.P, 30);
  EXPECT_EQ(product.layer.K, 40);
  EXPECT_EQ(product.layer.C, 50);
  const LayerDesign grouped = import(network("TemporalMap(1,1) G; SpatialMap(1,1) K;",
                                             "G: 4, K: 2, C: 3, R: 1, S: 1, Y: 5, X: 5", "NGCONV"));
  EXPECT_EQ(grouped.layer.macs(), 4 * 2 * 3 * 25);  // K and C per group, as MAESTRO counts
}

TEST(MaestroImport, AWindowLargerThanTheInputHasOnePosition) {
  const LayerDesign design = import(
      network("SpatialMap(1,1) K; TemporalMap(Sz(R),1) Y;", "K: 4, C: 2, R: 5, S: 5, Y: 4, X: 4"));
  EXPECT_EQ(design.layer.P, 1);
  EXPECT_EQ(design.layer.Q, 1);
}

TEST(MaestroImport, AWindowMaySlideOnlySoFar) {
  EXPECT_EQ(message("SpatialMap(1,1) K;", "K: 1, C: 1, R: 3, S: 1, Y: 1000000000, X: 1"),
            "a.m:1:19: layer l: outputs times taps along one axis may be 4194304 at most");
}

TEST(MaestroImport, WithCapacitiesOuterLoopsMoveToDram) {
  const MaestroNetwork from =
      network("TemporalMap(8,8) K; TemporalMap(2,2) C; SpatialMap(1,1) Y'; TemporalMap(1,1) X';");
  EXPECT_EQ(import(from).nest.levels[0].loops, (std::vector<Loop>{{Dimension::K, 8, kTemporal}}));
  const LayerDesign design = import(from, 256, {.capacities = true});
  EXPECT_EQ(design.machine.levels[1].capacity_bits, 3000 * 8);
  EXPECT_EQ(design.machine.levels[2].capacity_bits, 100 * 8);
  // 100 x 16 x 18 words of input alone are too many for two times 1500; 2 x 16 x 18 are not, nor
  // with 8 x 2 x 9 of weights; but 8 x 14 x 16 of output are.
  const std::vector<Loop> dram{
      {Dimension::K, 8, kTemporal}, {Dimension::C, 2, kTemporal}, {Dimension::Q, 1, kTemporal}};
  EXPECT_EQ(design.nest.levels[0].loops, dram);
}

TEST(MaestroImport, WhatCannotBeTranslatedIsNamedWithItsLine) {
  EXPECT_EQ(
      message("SpatialMap(2,1) K;"),
      "a.m:5:1: SpatialMap(2,1) K: tiles of 2 indices that move by 1 overlap; only windows over "
      "Y and X may overlap, by what the kernel needs");
  EXPECT_EQ(
      message("TemporalMap(2,3) C;"),
      "a.m:5:1: TemporalMap(2,3) C: tiles of 2 indices that move by 3 leave gaps; only windows "
      "over Y and X may overlap, by what the kernel needs");
  EXPECT_EQ(message("TemporalMap(10,7) X;"),
            "a.m:5:1: TemporalMap(10,7) X: tiles of 8 outputs that move by 7 overlap; only windows "
            "over Y and X may overlap, by what the kernel needs");
  EXPECT_EQ(
      message("TemporalMap(2,1) X;"),
      "a.m:5:1: TemporalMap(2,1) X: a window of 2 over X is smaller than the 3 of S under it");
  EXPECT_EQ(
      message("SpatialMap(1,1) K;\nSpatialMap(1,1) C;"),
      "a.m:6:1: SpatialMap(1,1) C: a second spatial map in one cluster, after SpatialMap(1,1) "
      "K; only Y with R and X with S go together");
  EXPECT_EQ(message("SpatialMap(1,1) Y; SpatialMap(1,1) R;\nSpatialMap(1,1) C;"),
            "a.m:6:1: SpatialMap(1,1) C: a third spatial map in one cluster");
  EXPECT_EQ(message("TemporalMap(1,1) K;\nTemporalMap(2,2) K;"),
            "a.m:6:1: TemporalMap(2,2) K: K is mapped twice in one cluster");
  EXPECT_EQ(
      message("TemporalMap(Sz(R),1) Y; TemporalMap(1,1) R;"),
      "a.m:5:1: TemporalMap(Sz(R),1) Y: R is cut in the same cluster, so that the windows are "
      "none of whole outputs");
  EXPECT_EQ(message("SpatialMap(1,1) Y; SpatialMap(1,1) R;"),
            "a.m:5:1: SpatialMap(1,1) Y: together with SpatialMap(1,1) R it must move by the same "
            "offset and leave each unit all 14 outputs");
  EXPECT_EQ(
      message("SpatialMap(1,1) K; Cluster(64,P); SpatialMap(1,1) C;", "K: 4, C: 4", "CONV", 16),
      "a.m:5:20: Cluster(64,P): the clusters of layer l need more than the 16 processing "
      "elements there are");
  EXPECT_EQ(message("SpatialMap(1,1) Y;", "M: 4, N: 4, K: 4", "GEMM"),
            "a.m:5:1: SpatialMap(1,1) Y: a layer of type GEMM has no dimension Y");
  EXPECT_EQ(
      message("SpatialMap(1,1) K;", "K: 4, C: 4", "TRCONV"),
      "a.m:1:29: a layer of type TRCONV is not translated: MAESTRO has no cost of its own for "
      "it (did you mean 'CONV'?)");
}

TEST(MaestroImport, ANetworkNeedsNoDataflow) {
  const MaestroNetwork from = parse_maestro_network(
      "Network n {\nLayer a { Type: CONV Dimensions { K: 8, C: 3, R: 3, S: 3, Y: 8, X: 8 } }\n"
      "Layer b { Type: FC Dimensions { K: 10, C: 288 } }\n}",
      "a.m");
  const Network layers = maestro_layers(from);
  ASSERT_EQ(layers.nodes().size(), 2U);
  EXPECT_EQ(layers.macs(), 8 * 3 * 9 * 36 + 2880);
  EXPECT_EQ(layers.nodes()[1].inputs, std::vector<std::size_t>{0});
  EXPECT_EQ(message_of([&] { (void)import_maestro(from, from.layers[0], {}); }),
            "a.m:2:7: layer a has no Dataflow");
}

LayerDesign round_trip(const LayerDesign& design) {
  const MaestroFiles files = export_maestro(design);
  const MaestroNetwork again = parse_maestro_network(to_text(files.network), "again.m");
  return import_maestro(again, again.layers.front(),
                        parse_maestro_hardware(to_text(files.hardware), "hw.m"));
}

TEST(MaestroExport, WhatIsExportedComesBackTheSame) {
  for (const LayerDesign& design :
       {import(network(kKcpWs)), import(network(kRs)),
        import(network(kRs, "K: 7, C: 3, R: 5, S: 5, Y: 31, X: 17", "CONV", 2)),
        import(network("SpatialMap(Sz(R),1) Y; TemporalMap(8+Sz(S)-1,8) X; Cluster(8,P); "
                       "SpatialMap(Sz(S),1) X;")),
        import(network("SpatialMap(1,1) C; TemporalMap(Sz(R),1) Y; TemporalMap(Sz(S),1) X;",
                       "K: 1, C: 300, R: 3, S: 3, Y: 9, X: 9", "DSCONV")),
        import(network("TemporalMap(1,1) G; SpatialMap(1,1) K; TemporalMap(2,2) C;",
                       "G: 4, K: 2, C: 3, R: 1, S: 1, Y: 5, X: 5", "NGCONV")),
        import(network("TemporalMap(1,1) N; SpatialMap(1,1) M; TemporalMap(10,10) K; "
                       "Cluster(10,P); SpatialMap(1,1) K;",
                       "M: 30, N: 40, K: 50", "GEMM"))}) {
    LayerDesign again = round_trip(design);
    again.machine.levels.back().capacity_bits = design.machine.levels.back().capacity_bits;
    EXPECT_EQ(again, design) << datasets::to_text(export_maestro(design).network);
  }
}

TEST(MaestroExport, SizesAndBandwidthsOfTheHardware) {
  const MaestroFiles files = export_maestro(import(network(kKcpWs), 300, {.capacities = true}));
  EXPECT_EQ(files.hardware.num_pes, 256);
  EXPECT_EQ(files.hardware.l1_size, 100);
  EXPECT_EQ(files.hardware.l2_size, 3000);
  EXPECT_EQ(files.hardware.noc_bandwidth, 32);
  EXPECT_EQ(files.hardware.offchip_bandwidth, 50);
}

TEST(MaestroExport, WhatCannotBeSaidNamesTheLevel) {
  const LayerDesign good = import(network(kKcpWs));
  const auto message_for = [&](auto change) {
    LayerDesign design = good;
    change(design);
    return message_of([&] { (void)export_maestro(design); });
  };
  EXPECT_EQ(
      message_for([](LayerDesign& design) { design.nest.levels[1].keep.remove(Tensor::weights); }),
      "level L2: weights passes by, but every buffer of MAESTRO keeps every tensor");
  EXPECT_EQ(
      message_for([](LayerDesign& design) {
        design.nest.levels[1].loops.insert(design.nest.levels[1].loops.begin() + 3,
                                           {Dimension::C, 32, kTemporal});
      }),
      "level L2: C is cut into tiles of 64 and of 32 with other loops between, or not evenly; "
      "MAESTRO cuts a dimension once in each cluster");
  EXPECT_EQ(message_for([](LayerDesign& design) { design.layer.dilation_h = 2; }),
            "layer l: MAESTRO has no dilation");
  EXPECT_EQ(
      message_for([](LayerDesign& design) {
        design.machine.levels.back().fanout = {{.axis = "X", .size = 2}};
      }),
      "level L1 feeds several multipliers; a processing element of MAESTRO has one buffer and "
      "one multiplier");
}

TEST(MaestroExport, PaddingBecomesInput) {
  LayerDesign design =
      import(network("SpatialMap(1,1) K;", "K: 4, C: 2, R: 3, S: 3, Y: 10, X: 10"));
  design.layer = same_convolution(2, 4, 8, 8, 3);
  EXPECT_EQ(export_maestro(design).network.layers[0].dimension("Y"), 10);
}

}  // namespace
}  // namespace cosearch::codesign::test
