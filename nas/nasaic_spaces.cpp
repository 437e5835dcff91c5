#include "nas/nasaic_spaces.h"

#include <string>
#include <utility>

#include "core/user_error.h"
#include "nas/blocks.h"
#include "nas/value_space.h"

namespace cosearch::nas {
namespace {

Feature convolution_3x3(NetworkBuilder& builder, const std::string& name, const Feature& from,
                        std::int64_t filters) {
  return builder.convolution(
      name, from, {.out_channels = filters, .kernel = 3, .activation = Activation::relu});
}

std::vector<ValuePosition> resnet_9_positions(std::int64_t blocks) {
  std::vector<ValuePosition> list{{"the filters of the stem", {8, 16, 32, 64}}};
  for (std::int64_t block = 1; block <= blocks; ++block) {
    const std::string of_block = " of block " + std::to_string(block);
    list.push_back({"the filters" + of_block, {32, 64, 128, 256, 512}});
    list.push_back({"the skipped convolutions" + of_block, {0, 1, 2}});
  }
  return list;
}

class ResNet9 : public ValueSpace {
 public:
  ResNet9(std::int64_t image, std::int64_t classes, std::int64_t blocks)
      : ValueSpace("resnet-9", resnet_9_positions(blocks)), image_(image), classes_(classes) {}

  [[nodiscard]] Blueprint blueprint(const std::string& genotype) const override {
    const std::vector<std::int64_t> values = values_of(genotype);
    NetworkBuilder builder(name() + " " + genotype, 3, image_, image_);
    Feature feature = convolution_3x3(builder, "stem", builder.input(), values[0]);
    for (std::size_t i = 1; i < values.size(); i += 2)
      feature = append_block(builder, "block" + std::to_string((i + 1) / 2), feature, values[i],
                             values[i + 1]);
    feature = builder.pool("pool", feature, Pooling::maximum, feature.height, feature.height);
    builder.fully_connected("classifier", feature, classes_);
    return std::move(builder).blueprint();
  }

 private:
  static Feature append_block(NetworkBuilder& builder, const std::string& name, const Feature& from,
                              std::int64_t filters, std::int64_t skipped) {
    const Feature widened = convolution_3x3(builder, name + ".conv", from, filters);
    const Feature halved = builder.pool(name + ".pool", widened, Pooling::maximum, 2, 2);
    Feature feature = halved;
    for (std::int64_t i = 1; i <= skipped; ++i)
      feature = convolution_3x3(builder, name + ".skipped" + std::to_string(i), feature, filters);
    return skipped == 0 ? feature : builder.add(name + ".add", {feature, halved});
  }

  std::int64_t image_, classes_;
};

constexpr std::int64_t kMostLevels = 5;

std::vector<ValuePosition> unet_positions() {
  std::vector<ValuePosition> list;
  for (std::int64_t level = 1, unit = 4; level <= kMostLevels; ++level, unit *= 2)
    list.push_back({"the filters of level " + std::to_string(level),
                    {unit, 2 * unit, 4 * unit, 8 * unit, 16 * unit}});
  list.push_back({"the height", {1, 2, 3, 4, 5}});
  return list;
}

class UNet : public ValueSpace {
 public:
  UNet(std::int64_t image, std::int64_t classes)
      : ValueSpace("unet", unet_positions()), image_(image), classes_(classes) {}

  [[nodiscard]] Blueprint blueprint(const std::string& genotype) const override {
    std::vector<std::int64_t> filters = values_of(genotype);
    const auto height = static_cast<std::size_t>(filters.back());
    filters.resize(height);
    NetworkBuilder builder(name() + " " + genotype, 3, image_, image_);
    std::vector<Feature> levels{
        two_convolutions(builder, {"stem", "down1.conv"}, builder.input(), filters[0])};
    for (std::size_t level = 1; level < height; ++level)
      levels.push_back(go_down(builder, level + 1, levels.back(), filters[level]));
    Feature feature = levels.back();
    for (std::size_t level = height - 1; level-- > 0;)
      feature = go_up(builder, level + 1, feature, levels[level]);
    builder.convolution("classifier", feature, {.out_channels = classes_, .affine = Affine::bias});
    return std::move(builder).blueprint();
  }

 protected:
  [[nodiscard]] std::vector<std::size_t> idle_positions(
      const std::vector<std::int64_t>& values) const override {
    std::vector<std::size_t> idle;
    for (auto level = static_cast<std::size_t>(values.back()); level + 1 < values.size(); ++level)
      idle.push_back(level);
    return idle;
  }

 private:
  static Feature two_convolutions(NetworkBuilder& builder,
                                  const std::pair<std::string, std::string>& names,
                                  const Feature& from, std::int64_t filters) {
    return convolution_3x3(builder, names.second,
                           convolution_3x3(builder, names.first, from, filters), filters);
  }

  static Feature go_down(NetworkBuilder& builder, std::size_t level, const Feature& above,
                         std::int64_t filters) {
    const std::string name = "down" + std::to_string(level);
    const Feature halved = builder.pool(name + ".pool", above, Pooling::maximum, 2, 2);
    return two_convolutions(builder, {name + ".conv1", name + ".conv2"}, halved, filters);
  }

  static Feature go_up(NetworkBuilder& builder, std::size_t level, const Feature& below,
                       const Feature& across) {
    const std::string name = "up" + std::to_string(level);
    const Feature doubled = builder.up_convolution(name + ".upconv", below, across.channels);
    return two_convolutions(builder, {name + ".conv1", name + ".conv2"},
                            builder.concatenate({across, doubled}), across.channels);
  }

  std::int64_t image_, classes_;
};

}  // namespace

std::vector<SpaceOption> resnet_9_options() {
  return {{"image", 32, 8, 1024, "height and width of the input"},
          {"classes", 10, 1, 100000, "outputs of the classifier"},
          {"blocks", 3, 1, 5, "blocks after the stem, each of which halves the image"}};
}

std::unique_ptr<NetworkSpace> make_resnet_9(const SpaceOptions& options) {
  const std::int64_t image = options.at("image"), blocks = options.at("blocks");
  if (image >> blocks == 0)
    throw UserError("resnet-9: option image = " + std::to_string(image) + ": must be at least " +
                    std::to_string(1 << blocks) + " for " + std::to_string(blocks) +
                    " blocks, each of which halves it");
  return std::make_unique<ResNet9>(image, options.at("classes"), blocks);
}

std::vector<SpaceOption> unet_options() {
  return {{"image", 128, 16, 1024, "height and width of the input, a multiple of 16"},
          {"classes", 1, 1, 1000, "outputs per pixel"}};
}

std::unique_ptr<NetworkSpace> make_unet(const SpaceOptions& options) {
  const std::int64_t image = options.at("image");
  if (image % 16 != 0)
    throw UserError("unet: option image = " + std::to_string(image) +
                    ": must be a multiple of 16, which is halved four times");
  return std::make_unique<UNet>(image, options.at("classes"));
}

}  // namespace cosearch::nas
