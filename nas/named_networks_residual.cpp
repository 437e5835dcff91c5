// Convolutional networks with residual additions: ResNet, ResNeXt, MobileNetV2, MnasNet.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "nas/blocks.h"
#include "nas/named_network_families.h"

namespace cosearch::nas {
namespace {

constexpr std::int64_t kImage = 224;  // height and width of the images of ImageNet-1k
constexpr std::int64_t kClasses = 1000;

struct ResNetOptions {
  /// Residual blocks in each of the four stages.
  std::vector<int> blocks;
  /// Blocks of 1x1, 3x3, 1x1 rather than of two 3x3.
  bool bottleneck = true;
  std::int64_t groups = 1;  ///< of the bottleneck's 3x3
  /// Channels of the bottleneck's 3x3 in the first stage; they double with every stage.
  std::int64_t bottleneck_channels = 64;
};

struct ResidualBlock {
  std::int64_t inner_channels, out_channels, stride;
};

Feature two_3x3(NetworkBuilder& builder, const std::string& name, const Feature& from,
                const ResidualBlock& block) {
  const Feature first = builder.convolution(
      name + ".conv1", from,
      {.out_channels = block.inner_channels, .kernel = 3, .stride = block.stride});
  return builder.convolution(name + ".conv2", first,
                             {.out_channels = block.out_channels, .kernel = 3});
}

Feature bottleneck(NetworkBuilder& builder, const std::string& name, const Feature& from,
                   const ResidualBlock& block, std::int64_t groups) {
  const Feature reduced =
      builder.convolution(name + ".conv1", from, {.out_channels = block.inner_channels});
  const Feature filtered = builder.convolution(name + ".conv2", reduced,
                                               {.out_channels = block.inner_channels,
                                                .kernel = 3,
                                                .stride = block.stride,
                                                .groups = groups});
  return builder.convolution(name + ".conv3", filtered, {.out_channels = block.out_channels});
}

Feature residual(NetworkBuilder& builder, const std::string& name, const Feature& from,
                 const ResidualBlock& block, const ResNetOptions& options) {
  const Feature change = options.bottleneck ? bottleneck(builder, name, from, block, options.groups)
                                            : two_3x3(builder, name, from, block);
  const bool same_shape = block.stride == 1 && block.out_channels == from.channels;
  const Feature shortcut =
      same_shape
          ? from
          : builder.convolution(name + ".downsample", from,
                                {.out_channels = block.out_channels, .stride = block.stride});
  return builder.add(name + ".add", {change, shortcut});
}

Network resnet(const std::string& name, const ResNetOptions& options) {
  NetworkBuilder builder(name, 3, kImage, kImage);
  Feature feature =
      builder.convolution("conv1", builder.input(), {.out_channels = 64, .kernel = 7, .stride = 2});
  feature = builder.pool("maxpool", feature, Pooling::maximum, 3, 2, 1);
  std::int64_t widening = 1;
  for (std::size_t stage = 0; stage < options.blocks.size(); ++stage, widening *= 2)
    for (int i = 0; i < options.blocks[stage]; ++i) {
      const ResidualBlock block{
          .inner_channels = widening * (options.bottleneck ? options.bottleneck_channels : 64),
          .out_channels = widening * (options.bottleneck ? 256 : 64),
          .stride = stage > 0 && i == 0 ? 2 : 1};
      const std::string block_name = "layer" + std::to_string(stage + 1) + "." + std::to_string(i);
      feature = residual(builder, block_name, feature, block, options);
    }
  feature = builder.global_pool("avgpool", feature);
  builder.fully_connected("fc", feature, kClasses);
  return std::move(builder).finish();
}

/// Inverted residual blocks of one shape: the first strides, all others keep it and add.
struct InvertedStage {
  std::int64_t expansion, channels;
  int blocks;
  std::int64_t stride, kernel;
};

Feature inverted_stages(NetworkBuilder& builder, Feature feature,
                        const std::vector<InvertedStage>& stages) {
  for (std::size_t stage = 0; stage < stages.size(); ++stage)
    for (int i = 0; i < stages[stage].blocks; ++i) {
      const InvertedStage& shape = stages[stage];
      MbConvOptions options{.out_channels = shape.channels,
                            .expanded_channels = shape.expansion * feature.channels,
                            .kernel = shape.kernel,
                            .stride = i == 0 ? shape.stride : 1};
      if (i > 0) options.shortcut = feature;
      feature = builder.mbconv("stage" + std::to_string(stage + 1) + "." + std::to_string(i),
                               feature, options);
    }
  return feature;
}

/// Both mobile networks: a 3x3 stem to 32 channels, stages that begin with a depthwise separable
/// convolution to 16, a 1x1 head to 1280, and a classifier.
Network mobile_network(const std::string& name, const std::vector<InvertedStage>& stages) {
  NetworkBuilder builder(name, 3, kImage, kImage);
  Feature feature =
      builder.convolution("stem", builder.input(), {.out_channels = 32, .kernel = 3, .stride = 2});
  feature = inverted_stages(builder, feature, stages);
  feature = builder.convolution("head", feature, {.out_channels = 1280});
  feature = builder.global_pool("avgpool", feature);
  builder.fully_connected("classifier", feature, kClasses);
  return std::move(builder).finish();
}

Network mobilenet_v2() {
  return mobile_network("mobilenet-v2", {{1, 16, 1, 1, 3},
                                         {6, 24, 2, 2, 3},
                                         {6, 32, 3, 2, 3},
                                         {6, 64, 4, 2, 3},
                                         {6, 96, 3, 1, 3},
                                         {6, 160, 3, 2, 3},
                                         {6, 320, 1, 1, 3}});
}

Network mnasnet() {
  return mobile_network("mnasnet", {{1, 16, 1, 1, 3},
                                    {3, 24, 3, 2, 3},
                                    {3, 40, 3, 2, 5},
                                    {6, 80, 3, 2, 5},
                                    {6, 96, 2, 1, 3},
                                    {6, 192, 4, 2, 5},
                                    {6, 320, 1, 1, 3}});
}

}  // namespace

std::vector<NamedNetwork> residual_networks() {
  return {
      {"resnet18",
       "K. He et al., Deep residual learning, CVPR 2016; torchvision resnet18: 11,689,512 "
       "parameters, 1.814 GMACs",
       [] {
         return resnet("resnet18", {.blocks = {2, 2, 2, 2}, .bottleneck = false});
       }},
      {"resnet50",
       "K. He et al., Deep residual learning, CVPR 2016, stride in the 3x3 (version 1.5); "
       "torchvision resnet50: 25,557,032 parameters, 4.089 GMACs",
       [] {
         return resnet("resnet50", {.blocks = {3, 4, 6, 3}});
       }},
      {"resnext50",
       "S. Xie et al., Aggregated residual transformations, CVPR 2017, 32x4d; torchvision "
       "resnext50_32x4d: 25,028,904 parameters, 4.23 GMACs",
       [] {
         return resnet("resnext50",
                       {.blocks = {3, 4, 6, 3}, .groups = 32, .bottleneck_channels = 128});
       }},
      {"mobilenet-v2",
       "M. Sandler et al., MobileNetV2, CVPR 2018, table 2; torchvision mobilenet_v2: 3,504,872 "
       "parameters, 0.301 GMACs",
       mobilenet_v2},
      {"mnasnet",
       "M. Tan et al., MnasNet, CVPR 2019, B1 (without squeeze-and-excitation); torchvision "
       "mnasnet1_0: 4,383,312 parameters, 0.314 GMACs",
       mnasnet},
  };
}

}  // namespace cosearch::nas
