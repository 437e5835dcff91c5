// Convolutional networks without residual additions: AlexNet, VGG, SqueezeNet, GoogLeNet, U-Net.
#include <cstddef>
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

Feature biased_convolution(NetworkBuilder& builder, const std::string& name, const Feature& from,
                           std::int64_t out_channels, std::int64_t kernel, std::int64_t padding = 0,
                           std::int64_t stride = 1) {
  return builder.convolution(name, from,
                             {.out_channels = out_channels,
                              .kernel = kernel,
                              .stride = stride,
                              .padding = padding,
                              .affine = Affine::bias});
}

/// Three fully connected layers; the adaptive pooling before them changes nothing at 224x224.
void classify_with_three_layers(NetworkBuilder& builder, Feature feature) {
  feature = builder.fully_connected("fc1", feature, 4096);
  feature = builder.fully_connected("fc2", feature, 4096);
  builder.fully_connected("fc3", feature, kClasses);
}

Network alexnet() {
  NetworkBuilder builder("alexnet", 3, kImage, kImage);
  Feature feature = biased_convolution(builder, "conv1", builder.input(), 64, 11, 2, 4);
  feature = builder.pool("pool1", feature, Pooling::maximum, 3, 2);
  feature = biased_convolution(builder, "conv2", feature, 192, 5, 2);
  feature = builder.pool("pool2", feature, Pooling::maximum, 3, 2);
  feature = biased_convolution(builder, "conv3", feature, 384, 3, 1);
  feature = biased_convolution(builder, "conv4", feature, 256, 3, 1);
  feature = biased_convolution(builder, "conv5", feature, 256, 3, 1);
  feature = builder.pool("pool5", feature, Pooling::maximum, 3, 2);
  classify_with_three_layers(builder, feature);
  return std::move(builder).finish();
}

Network vgg16() {
  NetworkBuilder builder("vgg16", 3, kImage, kImage);
  struct Stage {
    std::int64_t channels;
    int convolutions;
  };
  const std::vector<Stage> stages{{64, 2}, {128, 2}, {256, 3}, {512, 3}, {512, 3}};
  Feature feature = builder.input();
  int stage_number = 0;
  for (const Stage& stage : stages) {
    const std::string number = std::to_string(++stage_number);
    for (int i = 1; i <= stage.convolutions; ++i)
      feature = biased_convolution(builder, "conv" + number + "_" + std::to_string(i), feature,
                                   stage.channels, 3, 1);
    feature = builder.pool("pool" + number, feature, Pooling::maximum, 2, 2);
  }
  classify_with_three_layers(builder, feature);
  return std::move(builder).finish();
}

/// Squeeze to a few channels, expand by 1x1 and by 3x3, side by side.
Feature fire(NetworkBuilder& builder, int number, const Feature& from, std::int64_t squeezed,
             std::int64_t expanded) {
  const std::string name = "fire" + std::to_string(number);
  const Feature narrow = biased_convolution(builder, name + ".squeeze", from, squeezed, 1);
  return builder.concatenate(
      {biased_convolution(builder, name + ".expand1x1", narrow, expanded, 1),
       biased_convolution(builder, name + ".expand3x3", narrow, expanded, 3, 1)});
}

/// The eight fire modules of both versions differ only in which of them a pooling precedes.
Network squeezenet(const std::string& name, std::int64_t stem_channels, std::int64_t stem_kernel,
                   const std::vector<int>& pooled_before) {
  NetworkBuilder builder(name, 3, kImage, kImage);
  Feature feature = biased_convolution(builder, "conv1", builder.input(), stem_channels,
                                       stem_kernel, /*padding=*/0, /*stride=*/2);
  for (int number = 2; number <= 9; ++number) {
    for (const int pooled : pooled_before)
      if (pooled == number)
        feature = builder.pool_rounding_up("pool" + std::to_string(number - 1), feature,
                                           Pooling::maximum, 3, 2);
    const std::int64_t step = number / 2;  // modules come in pairs of one width
    feature = fire(builder, number, feature, 16 * step, 64 * step);
  }
  feature = biased_convolution(builder, "conv10", feature, kClasses, 1);
  builder.global_pool("pool10", feature);
  return std::move(builder).finish();
}

struct InceptionWidths {
  const char* name;
  std::int64_t direct;          // 1x1
  std::int64_t reduce3, third;  // 1x1, then 3x3
  std::int64_t reduce5, fifth;  // 1x1, then what the paper has as 5x5
  std::int64_t pooled;          // pooling, then 1x1
};

Feature inception(NetworkBuilder& builder, const Feature& from, const InceptionWidths& widths) {
  const std::string name = "inception" + std::string(widths.name);
  const auto convolution = [&](const char* part, const Feature& input, std::int64_t channels,
                               std::int64_t kernel) {
    return builder.convolution(name + part, input, {.out_channels = channels, .kernel = kernel});
  };
  const Feature direct = convolution(".branch1", from, widths.direct, 1);
  const Feature reduced3 = convolution(".branch2.reduce", from, widths.reduce3, 1);
  const Feature third = convolution(".branch2.conv", reduced3, widths.third, 3);
  const Feature reduced5 = convolution(".branch3.reduce", from, widths.reduce5, 1);
  const Feature fifth = convolution(".branch3.conv", reduced5, widths.fifth, 3);
  const Feature pooled = builder.pool(name + ".branch4.pool", from, Pooling::maximum, 3, 1, 1);
  const Feature fourth = convolution(".branch4.conv", pooled, widths.pooled, 1);
  return builder.concatenate({direct, third, fifth, fourth});
}

Network googlenet() {
  NetworkBuilder builder("googlenet", 3, kImage, kImage);
  Feature feature =
      builder.convolution("conv1", builder.input(), {.out_channels = 64, .kernel = 7, .stride = 2});
  feature = builder.pool_rounding_up("pool1", feature, Pooling::maximum, 3, 2);
  feature = builder.convolution("conv2", feature, {.out_channels = 64});
  feature = builder.convolution("conv3", feature, {.out_channels = 192, .kernel = 3});
  feature = builder.pool_rounding_up("pool2", feature, Pooling::maximum, 3, 2);
  feature = inception(builder, feature, {"3a", 64, 96, 128, 16, 32, 32});
  feature = inception(builder, feature, {"3b", 128, 128, 192, 32, 96, 64});
  feature = builder.pool_rounding_up("pool3", feature, Pooling::maximum, 3, 2);
  feature = inception(builder, feature, {"4a", 192, 96, 208, 16, 48, 64});
  feature = inception(builder, feature, {"4b", 160, 112, 224, 24, 64, 64});
  feature = inception(builder, feature, {"4c", 128, 128, 256, 24, 64, 64});
  feature = inception(builder, feature, {"4d", 112, 144, 288, 32, 64, 64});
  feature = inception(builder, feature, {"4e", 256, 160, 320, 32, 128, 128});
  feature = builder.pool_rounding_up("pool4", feature, Pooling::maximum, 2, 2);
  feature = inception(builder, feature, {"5a", 256, 160, 320, 32, 128, 128});
  feature = inception(builder, feature, {"5b", 384, 192, 384, 48, 128, 128});
  feature = builder.global_pool("pool5", feature);
  builder.fully_connected("fc", feature, kClasses);
  return std::move(builder).finish();
}

Feature two_unpadded_convolutions(NetworkBuilder& builder, const std::string& name,
                                  const Feature& from, std::int64_t channels) {
  const Feature first = biased_convolution(builder, name + ".conv1", from, channels, 3);
  return biased_convolution(builder, name + ".conv2", first, channels, 3);
}

/// The transposed 2x2 convolution of stride 2, which doubles the map and halves the channels. Its
/// windows do not overlap, so that it is exactly a 1x1 convolution to four times the channels whose
/// outputs are laid out as 2x2 pixels: the same products, weights and elements.
Feature up_convolution(NetworkBuilder& builder, const std::string& name, const Feature& from) {
  const std::int64_t channels = from.channels / 2;
  const Feature phases = builder.append(
      name, same_convolution(from.channels, 4 * channels, from.height, from.width, 1), {from},
      channels);
  return {channels, 2 * from.height, 2 * from.width, phases.step};
}

Network unet() {
  NetworkBuilder builder("unet", 1, 572, 572);
  constexpr int kDepth = 4;
  std::vector<Feature> skips;
  Feature feature = builder.input();
  std::int64_t channels = 64;
  for (int level = 1; level <= kDepth; ++level, channels *= 2) {
    const std::string number = std::to_string(level);
    feature = two_unpadded_convolutions(builder, "down" + number, feature, channels);
    skips.push_back(feature);
    feature = builder.pool("pool" + number, feature, Pooling::maximum, 2, 2);
  }
  feature = two_unpadded_convolutions(builder, "bottom", feature, channels);
  for (int level = kDepth; level >= 1; --level) {
    const std::string number = std::to_string(level);
    feature = up_convolution(builder, "upconv" + number, feature);
    const Feature& skip = skips[static_cast<std::size_t>(level) - 1];
    const std::int64_t surplus = skip.height - feature.height;
    feature = builder.concatenate({builder.crop(skip, surplus, surplus), feature});
    feature = two_unpadded_convolutions(builder, "up" + number, feature, feature.channels / 2);
  }
  biased_convolution(builder, "classes", feature, 2, 1);
  return std::move(builder).finish();
}

}  // namespace

std::vector<NamedNetwork> plain_networks() {
  return {
      {"alexnet",
       "A. Krizhevsky, One weird trick for parallelizing convolutional neural networks, 2014; "
       "torchvision alexnet: 61,100,840 parameters, 0.714 GMACs",
       alexnet},
      {"vgg16",
       "K. Simonyan and A. Zisserman, Very deep convolutional networks, ICLR 2015, configuration "
       "D; torchvision vgg16: 138,357,544 parameters, 15.47 GMACs",
       vgg16},
      {"squeezenet",
       "F. Iandola et al., SqueezeNet, 2016, version 1.0; torchvision squeezenet1_0: 1,248,424 "
       "parameters, 0.819 GMACs",
       [] {
         return squeezenet("squeezenet", 96, 7, {2, 5, 9});
       }},
      {"squeezenet-1.1",
       "SqueezeNet version 1.1 of its authors' repository; torchvision squeezenet1_1: 1,235,496 "
       "parameters, 0.349 GMACs",
       [] {
         return squeezenet("squeezenet-1.1", 64, 3, {2, 4, 6});
       }},
      {"googlenet",
       "C. Szegedy et al., Going deeper with convolutions, CVPR 2015, without auxiliary heads; "
       "torchvision googlenet: 6,624,904 parameters, 1.498 GMACs",
       googlenet},
      {"unet",
       "O. Ronneberger et al., U-Net, MICCAI 2015, figure 1: one channel of 572x572, unpadded, two "
       "classes of 388x388; by hand from the figure: 31,030,658 parameters, 150.4 GMACs",
       unet},
  };
}

}  // namespace cosearch::nas
