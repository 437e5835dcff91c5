#include "datasets/maestro_file.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/datasets/support.h"

namespace cosearch::datasets::test {
namespace {

using cosearch::test::message_of;
using Kind = MaestroDirective::Kind;

constexpr const char* kExample = R"(// A comment.
Constant TILE 8;
Network torchvision.models.vgg16 {
  Layer Conv2d-1 {   // names end at a space
    Type: CONV
    Stride { X: 2, Y: 1 }
    Dimensions { K: 64,C: 3,R 7,S 5,Y:224,X:TILE*28 }
    Dataflow {
      SpatialMap(1,1) K;
      TemporalMap (Sz(R), 1) Y';
      Cluster(Sz(R)*2, P);
      TemporalMap(TILE+Sz(S)-1,TILE) X;
    }
  }
  Layer Linear { Type: FC Dimensions { K: 10, C: 20 } }
}
)";

TEST(MaestroNetworkFile, ReadsLayersConstantsAndDirectives) {
  const MaestroNetwork network = parse_maestro_network(kExample, "a.m");
  EXPECT_EQ(network.name, "torchvision.models.vgg16");
  ASSERT_EQ(network.layers.size(), 2U);
  const MaestroLayer& layer = network.layers[0];
  EXPECT_EQ(layer.name, "Conv2d-1");
  EXPECT_EQ(layer.type, "CONV");
  EXPECT_EQ(layer.stride_x, 2);
  EXPECT_EQ(layer.stride_y, 1);
  EXPECT_EQ(layer.dimension("R"), 7);
  EXPECT_EQ(layer.dimension("X"), 224);
  EXPECT_FALSE(layer.dimension("M").has_value());
  EXPECT_TRUE(network.layers[1].dataflow.empty());
}

TEST(MaestroNetworkFile, EvaluatesSizesAndKeepsPlaceAndText) {
  const MaestroNetwork network = parse_maestro_network(kExample, "a.m");
  const auto& dataflow = network.layers[0].dataflow;
  ASSERT_EQ(dataflow.size(), 4U);
  EXPECT_EQ(dataflow[1].kind, Kind::temporal_map);
  EXPECT_EQ(dataflow[1].dimension, "Y'");
  EXPECT_EQ(dataflow[1].size, 7);
  EXPECT_EQ(dataflow[1].text, "TemporalMap (Sz(R), 1) Y'");
  EXPECT_EQ(network.where(dataflow[1]).text(), "a.m:10:7");
  EXPECT_EQ(dataflow[2].kind, Kind::cluster);
  EXPECT_EQ(dataflow[2].size, 14);
  EXPECT_EQ(dataflow[3].size, 12);
  EXPECT_EQ(dataflow[3].offset, 8);
}

TEST(MaestroNetworkFile, WhatItWritesItReadsBack) {
  const MaestroNetwork network = parse_maestro_network(kExample, "a.m");
  const std::string text = to_text(network);
  EXPECT_EQ(to_text(parse_maestro_network(text, "b.m")), text);
}

TEST(MaestroNetworkFile, SaysWhatStandsWhereAndWhatWasExpected) {
  struct Case {
    const char* text;
    const char* message;
  };
  const std::string start = "Network n {\nLayer l {\nType: CONV\nDimensions { K: 4, R: 3 }\n";
  for (const Case& c : {
           Case{"Dataflow { Spatial(1,1) K; } } }",
                "a.m:5:12: found 'Spatial'; expected SpatialMap, TemporalMap, Cluster or '}' in a "
                "dataflow"},
           Case{"Dataflow { SpatialMap(1,1) Q; } } }",
                "a.m:5:28: no dimension 'Q'; expected one of N, G, K, C, R, S, Y, X, M"},
           Case{"Dataflow { SpatialMap(1;1) K; } } }",
                "a.m:5:24: found ';'; expected ',' after the size of a map"},
           Case{"Dataflow { SpatialMap(Sz(Y),1) K; } } }",
                "a.m:5:26: Sz(Y) before Dimensions gives Y of layer l"},
           Case{
               "Dataflow { SpatialMap(TILE,1) K; } } }",
               "a.m:5:23: found 'TILE'; expected the size of a map: a number, Sz(DIMENSION) or the "
               "name of a constant"},
           Case{"Dataflow { SpatialMap(1-1,1) K; } } }",
                "a.m:5:23: the size of a map is 0; at least 1 is expected"},
           Case{"Dataflow { Cluster(4, Q); } } }",
                "a.m:5:23: found 'Q'; expected P (physical) or L (logical) after the size of a "
                "cluster"},
           Case{"Dataflow { SpatialMap(99999999999,1) K; } } }",
                "a.m:5:23: 99999999999 is too large; at most 1000000000 is accepted"},
           Case{"Dataflow { SpatialMap(1000000*1000000,1) K; } } }",
                "a.m:5:30: this comes to 1000000000000; at most 1000000000 is accepted"},
           Case{"Dimensions { K: 5 } } }", "a.m:5:14: K is already 4"},
           Case{"Type: CONV } }", "a.m:5:1: a second Type in one layer"},
           Case{"Accelerator { } } }",
                "a.m:5:1: found 'Accelerator'; expected Type, Stride, Dimensions, Dataflow or '}' "
                "in "
                "a layer"},
           Case{"",
                "a.m:5:1: the file ends here; expected Type, Stride, Dimensions, Dataflow or '}' "
                "in a layer"},
           Case{"} } Network",
                "a.m:5:5: found 'Network'; expected nothing: a file holds one network"},
       }) {
    const std::string text = start + c.text;
    EXPECT_EQ(message_of([&] { (void)parse_maestro_network(text, "a.m"); }), c.message) << text;
  }
}

TEST(MaestroNetworkFile, ALayerNeedsAType) {
  EXPECT_EQ(message_of([] { (void)parse_maestro_network("Network n { Layer l { } }", "a.m"); }),
            "a.m:1:23: layer l has no Type");
}

TEST(MaestroNetworkFile, DeepParenthesesAreAnErrorAndNoOverflow) {
  const std::string text = "Constant A " + std::string(100'000, '(');
  EXPECT_EQ(message_of([&] { (void)parse_maestro_network(text, "a.m"); }),
            "a.m:1:44: more than 32 parentheses in one another");
}

TEST(MaestroHardwareFile, ReadsBothSpellings) {
  const MaestroHardware newer = parse_maestro_hardware(
      "num_pes: 256\nl1_size_cstr: 100\nl2_size_cstr: 3000\nnoc_bw_cstr: 1000\n"
      "offchip_bw_cstr: 50\n",
      "hw.m");
  EXPECT_EQ(newer.num_pes, 256);
  EXPECT_EQ(newer.l1_size, 100);
  EXPECT_EQ(newer.l2_size, 3000);
  EXPECT_EQ(newer.noc_bandwidth, 1000);
  EXPECT_EQ(newer.offchip_bandwidth, 50);
  const MaestroHardware older =
      parse_maestro_hardware("NumPEs: 16\nL1Size: 4\nNoC_BW: 8\nNoC_NumHops: 1\n", "hw.m");
  EXPECT_EQ(older.num_pes, 16);
  EXPECT_EQ(older.l1_size, 4);
  EXPECT_EQ(older.noc_bandwidth, 8);
  EXPECT_FALSE(older.offchip_bandwidth.has_value());
  const std::string text = to_text(newer);
  EXPECT_EQ(to_text(parse_maestro_hardware(text, "hw.m")), text);
}

TEST(MaestroHardwareFile, SaysWhatIsWrong) {
  const auto message = [](const char* text) {
    return message_of([&] { (void)parse_maestro_hardware(text, "hw.m"); });
  };
  EXPECT_EQ(message("num_pe: 4"), "hw.m:1:1: no setting 'num_pe' (did you mean 'num_pes'?)");
  EXPECT_EQ(message("num_pes: 0"), "hw.m:1:10: num_pes is 0; at least 1 is expected");
  EXPECT_EQ(message("num_pes: 4\nnum_pes: 5"), "hw.m:2:1: num_pes is already given");
  EXPECT_EQ(message("num_pes: many"), "hw.m:1:10: found 'many'; expected a number");
  EXPECT_EQ(message("l1_size_cstr: 4\n"), "hw.m:2:1: the file ends here; expected num_pes: NUMBER");
}

}  // namespace
}  // namespace cosearch::datasets::test
