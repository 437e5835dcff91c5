#include "codesign/network_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/random.h"
#include "core/user_error.h"
#include "datasets/document.h"
#include "nas/named_networks.h"
#include "nas/space.h"
#include "tests/datasets/support.h"

namespace cosearch::codesign {
namespace {

using testing::HasSubstr;

const std::string kHead = "kind: network\nschema_version: 1\nname: hand\nlayers:\n";

Network read_layers(const std::string& layers) {
  const test::TemporaryFolder folder;
  test::write_bytes(folder / "net.yaml", kHead + layers);
  return read_network(folder / "net.yaml");
}

Layer only_layer(const std::string& layer) {
  const Network network = read_layers("  - " + layer + "\n");
  return network.nodes().at(0).layer;
}

std::string message_for(const std::string& layers) {
  return test::message_of([&] { static_cast<void>(read_layers(layers)); });
}

TEST(NetworkFile, BuildsEachTypeOfLayerAsCoreDoes) {
  EXPECT_EQ(only_layer("{type: convolution, in_channels: 8, out_channels: 12, height: 20, width: "
                       "10, kernel_h: 3, kernel_w: 5, stride: 2, pad_h: 1, pad_w: 2, dilation: 2, "
                       "groups: 4, batch: 3}"),
            convolution({.in_channels = 8,
                         .out_channels = 12,
                         .height = 20,
                         .width = 10,
                         .kernel_h = 3,
                         .kernel_w = 5,
                         .stride = 2,
                         .pad_h = 1,
                         .pad_w = 2,
                         .dilation = 2,
                         .groups = 4,
                         .batch = 3}));
  EXPECT_EQ(only_layer("{type: convolution, in_channels: 8, out_channels: 16, height: 14, width: "
                       "14, kernel: 3, pad: 1}"),
            same_convolution(8, 16, 14, 14, 3));
  EXPECT_EQ(only_layer("{type: fully_connected, in_features: 64, out_features: 10, batch: 2}"),
            fully_connected(64, 10, 2));
  EXPECT_EQ(only_layer("{type: gemm, rows: 3, columns: 5, depth: 7, batch: 2, "
                       "weights_are_activations: true}"),
            gemm(3, 5, 7, 2, true));
  EXPECT_EQ(only_layer("{type: pooling, channels: 6, height: 9, width: 9, kernel: 3, stride: 2, "
                       "pad: 1}"),
            pooling(6, 9, 9, 3, 2, 1));
  EXPECT_EQ(only_layer("{type: elementwise, channels: 6, height: 9, width: 8, operands: 2}"),
            elementwise(6, 9, 8, 2));
  EXPECT_EQ(only_layer("{type: softmax, rows: 4, length: 9}"), softmax(4, 9));
  EXPECT_EQ(only_layer("{type: normalisation, rows: 4, length: 9}"), normalisation(4, 9));
}

TEST(NetworkFile, BuildsConvolutionsOfOneAndThreeDimensionsAndTransposedOnes) {
  ConvolutionShape volume{.in_channels = 3, .out_channels = 8, .height = 20, .width = 30};
  volume.kernel_h = volume.kernel_w = 3;
  volume.kernel_d = 5;
  volume.stride = 2, volume.stride_d = 1;
  volume.pad_h = volume.pad_w = 1;
  volume.pad_d = 2;
  volume.depth = 9;
  EXPECT_EQ(only_layer("{type: convolution, in_channels: 3, out_channels: 8, depth: 9, height: 20, "
                       "width: 30, kernel: 3, kernel_d: 5, stride: 2, stride_d: 1, pad: 1, pad_d: "
                       "2}"),
            convolution(volume));
  EXPECT_EQ(only_layer("{type: convolution, in_channels: 1, out_channels: 1, depth: 7, height: 7, "
                       "width: 7, kernel: 3, stride: 2, dilation: 3}"),
            convolution({.height = 7,
                         .width = 7,
                         .kernel_h = 3,
                         .kernel_w = 3,
                         .stride = 2,
                         .dilation = 3,
                         .depth = 7,
                         .kernel_d = 3,
                         .stride_d = 2,
                         .dilation_d = 3}));
  EXPECT_EQ(
      only_layer("{type: convolution_1d, in_channels: 4, out_channels: 6, length: 50, kernel: "
                 "5, stride: 3, pad: 2, dilation: 2, groups: 2}"),
      convolution({.in_channels = 4,
                   .out_channels = 6,
                   .width = 50,
                   .kernel_w = 5,
                   .pad_w = 2,
                   .groups = 2,
                   .stride_w = 3,
                   .dilation_w = 2}));
  EXPECT_EQ(only_layer("{type: transposed_convolution, in_channels: 4, out_channels: 6, height: 5, "
                       "width: 7, kernel: 3, stride: 2, pad: 1, output_pad: 1, output_pad_w: 0}"),
            transposed_convolution({.in_channels = 4,
                                    .out_channels = 6,
                                    .height = 5,
                                    .width = 7,
                                    .kernel_h = 3,
                                    .kernel_w = 3,
                                    .stride = 2,
                                    .pad_h = 1,
                                    .pad_w = 1},
                                   {.h = 1}));
}

TEST(NetworkFile, BuildsAttention) {
  const AttentionShape shape{
      .rows = 7, .context = 128, .head_depth = 64, .heads = 12, .kv_heads = 4, .batch = 2};
  const std::string keys =
      "rows: 7, context: 128, head_depth: 64, heads: 12, kv_heads: 4, batch: 2}";
  EXPECT_EQ(only_layer("{type: attention_scores, " + keys), attention_scores(shape));
  EXPECT_EQ(only_layer("{type: attention_values, " + keys), attention_values(shape));
  // Left out, every head has keys and values of its own.
  EXPECT_EQ(only_layer("{type: attention_scores, rows: 9, context: 5, head_depth: 3, heads: 2}"),
            gemm(9, 5, 3, 2, true));
  EXPECT_THAT(message_for("  - {type: attention_scores, rows: 9, context: 5, head_depth: 3, heads: "
                          "6, kv_heads: 4}\n"),
              HasSubstr("net.yaml:5:5: layer '0': attention: heads = 6 do not divide by kv_heads = "
                        "4"));
}

// Queries and keys in, scores out, softmax, then with the values: what each reads is delivered.
TEST(NetworkFile, AttentionFlows) {
  const std::string attention = "rows: 6, context: 6, head_depth: 8, heads: 4, kv_heads: 2";
  const Network network = read_layers(
      "  - {type: gemm, name: query, rows: 6, columns: 32, depth: 32}\n"
      "  - {type: gemm, name: key, rows: 6, columns: 16, depth: 32, inputs: []}\n"
      "  - {type: gemm, name: value, rows: 6, columns: 16, depth: 32, inputs: []}\n"
      "  - {type: attention_scores, name: scores, " +
      attention +
      ", inputs: [query, key]}\n"
      "  - {type: softmax, name: shares, rows: 24, length: 6}\n"
      "  - {type: attention_values, name: mix, " +
      attention + ", inputs: [shares, value]}\n");
  EXPECT_EQ(network.nodes().size(), 6U);
}

TEST(NetworkFile, ReadsWidths) {
  const Layer layer = only_layer(
      "{type: gemm, rows: 3, columns: 5, depth: 7, input_bits: 4, weight_bits: 2, output_bits: 16, "
      "partial_sum_bits: 24}");
  EXPECT_EQ(layer.input_bits, 4);
  EXPECT_EQ(layer.weight_bits, 2);
  EXPECT_EQ(layer.output_bits, 16);
  EXPECT_EQ(layer.partial_sum_bits, 24);
  EXPECT_THAT(message_for("  - {type: softmax, rows: 1, length: 1, output_bits: 8bit}\n"),
              HasSubstr("net.yaml:5:54: "));
}

TEST(NetworkFile, RefusesADepthOfTheWindowAlone) {
  EXPECT_THAT(message_for("  - {type: convolution, in_channels: 3, out_channels: 4, height: 8, "
                          "width: 8, kernel_d: 3}\n"),
              HasSubstr("layer '0' has a 'kernel_d' but no 'depth'"));
}

TEST(NetworkFile, ReadsInputsNamesAndMultiplicity) {
  const Network network = read_layers(
      "  - {type: softmax, name: a, rows: 1, length: 4}\n"
      "  - {type: softmax, rows: 1, length: 4, multiplicity: 3}\n"
      "  - {type: elementwise, name: c, channels: 1, height: 1, width: 4, operands: 2, inputs: [a, "
      "'1']}\n"
      "  - {type: softmax, name: d, rows: 1, length: 4, inputs: []}\n");
  ASSERT_EQ(network.nodes().size(), 4U);
  EXPECT_TRUE(network.nodes()[0].inputs.empty());
  EXPECT_EQ(network.nodes()[1].name, "1");
  EXPECT_EQ(network.nodes()[1].multiplicity, 3);
  EXPECT_THAT(network.nodes()[1].inputs, testing::ElementsAre(0U));
  EXPECT_THAT(network.nodes()[2].inputs, testing::ElementsAre(0U, 1U));
  EXPECT_TRUE(network.nodes()[3].inputs.empty());
}

TEST(NetworkFile, SaysWhichKeyATypeLacks) {
  struct Case {
    const char *layer, *lacks;
  };
  for (const Case& c :
       {Case{"{type: convolution, in_channels: 1, height: 3, width: 3}", "out_channels"},
        {"{type: fully_connected, in_features: 4}", "out_features"},
        {"{type: gemm, rows: 4, columns: 3}", "depth"},
        {"{type: pooling, channels: 4, height: 3, width: 3}", "kernel"},
        {"{type: elementwise, channels: 4, height: 3}", "width"},
        {"{type: softmax, rows: 4}", "length"},
        {"{type: normalisation, length: 4}", "rows"}}) {
    SCOPED_TRACE(c.layer);
    EXPECT_THAT(message_for(fmt::format("  - {}\n", c.layer)),
                HasSubstr(fmt::format(
                    "net.yaml:5:5: layer '0' of type {} lacks the key '{}'",
                    std::string(c.layer).substr(7, std::string(c.layer).find(',') - 7), c.lacks)));
  }
}

TEST(NetworkFile, RefusesAKeyThatTheTypeDoesNotTake) {
  const std::string message = message_for("  - {type: softmax, rows: 4, length: 9, kernel: 3}\n");
  EXPECT_THAT(message, HasSubstr("net.yaml:5:"));
  EXPECT_THAT(message, HasSubstr("a layer of type softmax has no 'kernel' (it takes rows, length"));
  EXPECT_THAT(message_for("  - {type: softmax, rows: 4, lengths: 9}\n"),
              HasSubstr("did you mean 'length'?"));
  EXPECT_THAT(message_for("  - {type: sotfmax, rows: 4, length: 9}\n"),
              HasSubstr("net.yaml:5:12: "));
}

TEST(NetworkFile, RefusesEdgesThatAreNone) {
  const std::string first = "  - {type: softmax, name: first, rows: 1, length: 4}\n";
  EXPECT_THAT(message_for(first + "  - {type: softmax, rows: 1, length: 4, inputs: [firsts]}\n"),
              HasSubstr("net.yaml:6:50: layer '1' reads 'firsts', which is no earlier layer (did "
                        "you mean 'first'?)"));
  EXPECT_THAT(message_for("  - {type: softmax, name: a, rows: 1, length: 4, inputs: [a]}\n"),
              HasSubstr("which is no earlier layer"));
  EXPECT_THAT(message_for(first + first),
              HasSubstr("net.yaml:6:27: two layers are called 'first'"));
}

TEST(NetworkFile, RefusesALayerThatReadsWhatItsInputsDoNotDeliver) {
  const std::string sixteen =
      "  - {type: convolution, in_channels: 3, out_channels: 16, height: 8, width: 8}\n";
  const auto next = [](const char* channels, const char* inputs) {
    return fmt::format(
        "  - {{type: convolution, in_channels: {}, out_channels: 8, height: 8, width: 8{}}}\n",
        channels, inputs);
  };
  EXPECT_THAT(message_for(sixteen + next("99", "")),
              HasSubstr("reads 6336 elements, but its inputs deliver 1024"));
  EXPECT_EQ(read_layers(sixteen + next("16", "")).nodes().size(), 2U);
  EXPECT_EQ(read_layers(sixteen + next("99", ", inputs: []")).nodes().size(), 2U);
}

TEST(NetworkFile, RefusesALayerThatIsNone) {
  EXPECT_THAT(message_for("  - {type: convolution, in_channels: 3, out_channels: 4, height: 8, "
                          "width: 8, groups: 2}\n"),
              HasSubstr("net.yaml:5:5: layer '0': "));
  EXPECT_THAT(message_for("  - {type: pooling, channels: 3, height: 2, width: 2, kernel: 5}\n"),
              HasSubstr("net.yaml:5:5: "));
  EXPECT_THAT(message_for("  - {type: softmax, rows: 0, length: 2}\n"),
              HasSubstr("a whole number of at least 1"));
}

TEST(NetworkFile, FindsNamesGenotypesAndFiles) {
  EXPECT_EQ(find_network("resnet18").macs(), nas::named_network("resnet18").macs());
  EXPECT_EQ(find_network("fashion-macro:021200").macs(),
            nas::make_space("fashion-macro")->lower("021200").macs());
  EXPECT_THROW(static_cast<void>(find_network("no-such.yaml")), FileError);
  EXPECT_THAT(test::message_of([] { static_cast<void>(find_network("resnet81")); }),
              HasSubstr("did you mean 'resnet"));
  EXPECT_THROW(static_cast<void>(find_network("fashion-macro:02x200")), UserError);
}

void expect_round_trip(const Network& network) {
  SCOPED_TRACE(network.name());
  const std::string text = write_network(network);
  const Network read = read_network(datasets::parse_yaml(text, "written"));
  EXPECT_EQ(read.name(), network.name());
  ASSERT_EQ(read.nodes().size(), network.nodes().size());
  for (std::size_t i = 0; i < network.nodes().size(); ++i) {
    NetworkNode node = network.nodes()[i];
    if (!flow_into(network, node).is_even()) node.inputs.clear();
    EXPECT_EQ(read.nodes()[i], node) << node.name;
  }
}

TEST(NetworkFile, WhatIsWrittenIsReadAsTheSame) {
  for (const nas::NamedNetwork& named : nas::named_networks()) expect_round_trip(named.build());
  Random random(1);
  for (const std::string& name : nas::space_names()) {
    const auto space = nas::make_space(name);
    for (int i = 0; i < 5; ++i) expect_round_trip(space->lower(space->sample(random)));
  }
}

TEST(NetworkFile, WhatIsWrittenOfEachTypeIsReadAsTheSame) {
  const ConvolutionShape window{.in_channels = 8,
                                .out_channels = 12,
                                .height = 20,
                                .width = 10,
                                .kernel_h = 3,
                                .kernel_w = 5,
                                .stride = 2,
                                .pad_h = 1,
                                .pad_w = 2,
                                .dilation = 2,
                                .groups = 4,
                                .batch = 3};
  ConvolutionShape volume = window;
  volume.depth = 7;
  volume.kernel_d = 3;
  volume.stride_w = 1;
  Layer wide = fully_connected(64, 10, 2);
  wide.weight_bits = 4;
  wide.partial_sum_bits = 24;
  Network network("each \"type\": {one}");
  for (const Layer& layer :
       {convolution(window), convolution(volume), wide, transposed_convolution(window, {.h = 1}),
        transposed_convolution(volume), gemm(3, 4, 5, 6), attention_scores({.rows = 4, .heads = 2}),
        pooling(8, 9, 7, 3, 2, 1), pooling_rounding_up(8, 10, 7, 3, 2), elementwise(4, 3, 2, 2),
        softmax(3, 5), normalisation(5, 3)})
    network.add({.name = fmt::format("layer: {}", network.nodes().size()),
                 .layer = layer,
                 .multiplicity = 2,
                 .affine_parameters = 12});
  expect_round_trip(network);
}

TEST(NetworkFile, NoLayerIsWrittenThatCannotBeRead) {
  Layer uneven = same_convolution(3, 8, 8, 8, 3);
  uneven.pad_top = 0;
  uneven.pad_bottom = 2;
  Network network("uneven");
  network.add({.name = "first", .layer = uneven});
  EXPECT_THAT(test::message_of([&] { static_cast<void>(write_network(network)); }),
              HasSubstr("uneven: layer 'first'"));
}

}  // namespace
}  // namespace cosearch::codesign
