#include "nas/named_networks.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/user_error.h"
#include "tests/support/shape_flow.h"

namespace cosearch::nas {
namespace {

using test::FlowMismatch;

struct Published {
  std::string name;
  std::int64_t parameters;
  double giga_macs;
  double precision;  ///< half a unit of the last digit published
};

// torchvision's own metadata: "num_params" and "_ops" (multiply-adds in billions, shown in the
// documentation as GFLOPS to two digits) of the IMAGENET1K_V1 weights in torchvision/models/*.py;
// https://pytorch.org/vision/stable/models.html, "Table of all available classification weights".
const std::vector<Published> kTorchvision{
    {"alexnet", 61'100'840, 0.714, 0.0005},     {"vgg16", 138'357'544, 15.47, 0.005},
    {"squeezenet", 1'248'424, 0.819, 0.0005},   {"squeezenet-1.1", 1'235'496, 0.349, 0.0005},
    {"googlenet", 6'624'904, 1.498, 0.0005},    {"resnet18", 11'689'512, 1.814, 0.0005},
    {"resnet50", 25'557'032, 4.089, 0.0005},    {"resnext50", 25'028'904, 4.23, 0.005},
    {"mobilenet-v2", 3'504'872, 0.301, 0.0005}, {"mnasnet", 4'383'312, 0.314, 0.0005},
};

TEST(NamedNetworks, HaveThePublishedParametersAndMultiplyAccumulatesOfTorchvision) {
  for (const Published& published : kTorchvision) {
    SCOPED_TRACE(published.name);
    const Network network = named_network(published.name);
    EXPECT_EQ(network.parameters(), published.parameters);
    EXPECT_NEAR(static_cast<double>(network.macs()) * 1e-9, published.giga_macs,
                published.precision);
  }
}

// Parameters: Hugging Face transformers, BertModel of bert-base-uncased (with pooler, without the
// language-model head): 109,482,240. Multiply-accumulates: calflops (github.com/MrYXJ/
// calculate-flops.pytorch, README), 11.174 GMACs for a sequence of 128 through
// hfl/chinese-roberta-wwm-ext, a BERT-base that differs in its vocabulary alone.
TEST(NamedNetworks, BertBaseHasThePublishedFigures) {
  const Network network = named_network("bert-base");
  EXPECT_EQ(network.parameters(), 109'482'240);
  EXPECT_NEAR(static_cast<double>(network.macs()) * 1e-9, 11.174, 0.0005);
}

// Parameters: Hugging Face transformers, GPT2LMHeadModel of gpt2: 124,439,808.
// Multiply-accumulates: github.com/karpathy/nanoGPT, transformer_sizing.ipynb: forward_total of
// 291,648,307,200 operations for 1024 tokens, two to a multiply-accumulate, attention in full and a
// prediction per token.
TEST(NamedNetworks, Gpt2SmallHasThePublishedFigures) {
  const Network network = named_network("gpt2-small");
  EXPECT_EQ(network.parameters(), 124'439'808);
  EXPECT_EQ(2 * network.macs(), 291'648'307'200);
}

// Attention over 1024 tokens costs every token the same when it is counted in full.
TEST(NamedNetworks, DecodingCostsOneTokensShareOfThePrefill) {
  const Network prefill = named_network("gpt2-small");
  const Network decode = named_network("gpt2-small-decode");
  EXPECT_EQ(1024 * decode.macs(), prefill.macs());
  EXPECT_EQ(decode.parameters(), prefill.parameters());
}

// The paper prints the extent of every map but counts neither weights nor products, so both are
// summed here from figure 1 of O. Ronneberger et al., MICCAI 2015, arrow by arrow: channels in and
// out, the extent of the square map that is written, and the kernel. The up-convolution's windows
// do not overlap: each output pixel costs one kernel position. 31,030,658 parameters is also what
// implementations with one input channel and two classes report (github.com/jakeret/tf_unet with 5
// layers and 64 root features). 31,031,685, often seen, has one more 3x3 convolution to two
// channels and a 1x1 to one.
TEST(NamedNetworks, UnetHasTheLayersOfFigureOne) {
  struct Arrow {
    std::int64_t in, out, extent, kernel;
    std::int64_t positions() const { return kernel == 2 ? 1 : kernel * kernel; }
  };
  const std::vector<Arrow> figure{
      {1, 64, 570, 3},    {64, 64, 568, 3},    {64, 128, 282, 3},  {128, 128, 280, 3},
      {128, 256, 138, 3}, {256, 256, 136, 3},  {256, 512, 66, 3},  {512, 512, 64, 3},
      {512, 1024, 30, 3}, {1024, 1024, 28, 3}, {1024, 512, 56, 2}, {1024, 512, 54, 3},
      {512, 512, 52, 3},  {512, 256, 104, 2},  {512, 256, 102, 3}, {256, 256, 100, 3},
      {256, 128, 200, 2}, {256, 128, 198, 3},  {128, 128, 196, 3}, {128, 64, 392, 2},
      {128, 64, 390, 3},  {64, 64, 388, 3},    {64, 2, 388, 1}};
  std::int64_t parameters = 0, macs = 0;
  for (const Arrow& arrow : figure) {
    parameters += arrow.in * arrow.out * arrow.kernel * arrow.kernel + arrow.out;
    macs += arrow.in * arrow.out * arrow.extent * arrow.extent * arrow.positions();
  }
  const Network network = named_network("unet");
  EXPECT_EQ(parameters, 31'030'658);
  EXPECT_EQ(network.parameters(), parameters);
  EXPECT_EQ(network.macs(), macs);
  EXPECT_EQ(figure.size(), 23U);  // "In total the network has 23 convolutional layers", section 2
}

std::vector<FlowMismatch> expected_mismatches(const std::string& name) {
  std::vector<FlowMismatch> expected;
  if (name == "unet") {
    // The copied maps are cropped to the extents that figure 1 shows dashed.
    const auto joined = [](std::int64_t channels, std::int64_t map, std::int64_t skip) {
      return FlowMismatch{"", 2 * channels * map * map, channels * (map * map + skip * skip)};
    };
    expected = {joined(512, 56, 64), joined(256, 104, 136), joined(128, 200, 280),
                joined(64, 392, 568)};
    for (std::size_t i = 0; i < expected.size(); ++i)
      expected[i].layer = "up" + std::to_string(expected.size() - i) + ".conv1";
  }
  if (name == "bert-base") expected = {{"pooler", 768, 128 * 768}};  // the first token's row
  if (name == "gpt2-small-decode")
    for (int block = 0; block < 12; ++block) {
      // Query and new key; attention shares of 12 heads and new value: 1023 rows are in the cache.
      const std::string attention = "block" + std::to_string(block) + ".attention";
      expected.push_back({attention + ".scores", 768 + 1024 * 768, 768 + 768});
      expected.push_back({attention + ".mix", 12 * 1024 + 1024 * 768, 12 * 1024 + 768});
    }
  return expected;
}

TEST(NamedNetworks, DeliverToEveryLayerWhatItReads) {
  for (const NamedNetwork& named : named_networks()) {
    SCOPED_TRACE(named.name);
    EXPECT_EQ(test::flow_mismatches(named.build()), expected_mismatches(named.name));
  }
}

TEST(NamedNetworks, LeadFromOneInputToOneOutputThroughLayersWithNamesOfTheirOwn) {
  for (const NamedNetwork& named : named_networks()) {
    SCOPED_TRACE(named.name);
    const Network network = named.build();
    std::set<std::string> names;
    int readers_of_input = 0;
    for (const NetworkNode& node : network.nodes()) {
      names.insert(node.name);
      readers_of_input += node.inputs.empty() ? 1 : 0;
    }
    EXPECT_EQ(names.size(), network.nodes().size());
    EXPECT_EQ(readers_of_input, 1);
    EXPECT_EQ(test::outputs_of(network).size(), 1U);
    EXPECT_EQ(network.name(), named.name);
  }
}

TEST(NamedNetworks, EndInTheirPublishedOutputs) {
  const auto last_output = [](const std::string& name) {
    return named_network(name).nodes().back().layer.elements(Tensor::output);
  };
  for (const Published& published : kTorchvision) {
    SCOPED_TRACE(published.name);
    EXPECT_EQ(last_output(published.name), 1000);
  }
  EXPECT_EQ(last_output("unet"), 2 * 388 * 388);
  EXPECT_EQ(last_output("bert-base"), 768);
  EXPECT_EQ(last_output("gpt2-small"), 1024 * 50257);
  EXPECT_EQ(last_output("gpt2-small-decode"), 50257);
}

TEST(NamedNetworks, CountNoActivationAsAParameter) {
  for (const char* name : {"bert-base", "gpt2-small", "gpt2-small-decode"}) {
    SCOPED_TRACE(name);
    int products = 0;
    const Network network = named_network(name);
    for (const NetworkNode& node : network.nodes())
      if (node.layer.weights_are_activations) {
        ++products;
        EXPECT_EQ(node.layer.parameters() + node.affine_parameters, 0);
      }
    EXPECT_EQ(products, 2 * 12);  // scores and mix in each of 12 blocks
  }
}

TEST(NamedNetworks, AreListedOnceEachWithTheirSource) {
  std::set<std::string> names;
  for (const NamedNetwork& named : named_networks()) {
    EXPECT_TRUE(names.insert(named.name).second) << named.name;
    EXPECT_FALSE(named.source.empty()) << named.name;
  }
}

TEST(NamedNetworks, SuggestTheNameThatWasMeant) {
  try {
    (void)named_network("resnet5");
    FAIL() << "no error";
  } catch (const UserError& error) {
    EXPECT_EQ(std::string(error.what()),
              "no network is called 'resnet5' (did you mean 'resnet50'?)");
  }
}

TEST(ShapeFlow, FindsALayerThatReadsMoreThanItIsGiven) {
  Network network("wrong");
  network.add({.name = "first", .layer = same_convolution(3, 8, 4, 4, 3), .inputs = {}});
  network.add({.name = "second", .layer = same_convolution(16, 8, 4, 4, 3), .inputs = {0}});
  EXPECT_EQ(test::flow_mismatches(network),
            (std::vector<FlowMismatch>{{"second", 16 * 16, 8 * 16}}));
}

TEST(ShapeFlow, FindsAnAdditionOfDifferentShapes) {
  Network network("wrong");
  network.add({.name = "first", .layer = same_convolution(3, 8, 4, 4, 3), .inputs = {}});
  network.add({.name = "second", .layer = same_convolution(8, 8, 4, 4, 3, 2), .inputs = {0}});
  network.add({.name = "sum", .layer = elementwise(8, 4, 4, 2), .inputs = {0, 1}});
  EXPECT_EQ(test::flow_mismatches(network),
            (std::vector<FlowMismatch>{{"sum", 2 * 8 * 16, 8 * 16 + 8 * 4}}));
}

}  // namespace
}  // namespace cosearch::nas
