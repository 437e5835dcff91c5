#include "nas/regnet.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include "nas/blocks.h"
#include "nas/value_space.h"

namespace cosearch::nas {
namespace {

constexpr std::int64_t kStemChannels = 32;

std::vector<std::int64_t> grid(std::int64_t first, std::int64_t last, std::int64_t step) {
  std::vector<std::int64_t> list;
  for (std::int64_t value = first; value <= last; value += step) list.push_back(value);
  return list;
}

const std::vector<ValuePosition>& positions() {
  static const std::vector<ValuePosition> all{
      {"the depth", grid(12, 28, 1)},
      {"the first width", grid(24, 320, 8)},
      {"the slope of the width", grid(8, 128, 1)},
      {"the hundredths of the ratio of widths", grid(150, 300, 5)},
      {"the group width", {8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 120, 128, 168, 232}},
      {"squeeze and excitation", {0, 1}}};
  return all;
}
enum Position : std::size_t { kDepth, kFirstWidth, kSlope, kRatio, kGroup, kSqueeze };

/// Blocks of one width.
struct Stage {
  std::int64_t width, group, blocks;

  friend bool operator==(const Stage&, const Stage&) = default;
};

std::int64_t nearest(double value) { return static_cast<std::int64_t>(std::nearbyint(value)); }

/// The width that whole groups fill, never a tenth less than `width`.
std::int64_t filled_by_groups(std::int64_t width, std::int64_t group) {
  const std::int64_t filled = std::max(group, (width + group / 2) / group * group);
  return 10 * filled < 9 * width ? filled + group : filled;
}

/// The width of block `number` before groups are made whole: equations 2 to 4.
std::int64_t block_width(const std::vector<std::int64_t>& values, std::int64_t number) {
  const auto first = static_cast<double>(values[kFirstWidth]);
  const auto slope = static_cast<double>(values[kSlope]);
  const double ratio = static_cast<double>(values[kRatio]) / 100;
  const double line = first + slope * static_cast<double>(number);
  const double step = std::nearbyint(std::log(line / first) / std::log(ratio));
  return 8 * nearest(first * std::pow(ratio, step) / 8);
}

std::vector<Stage> stages_of(const std::vector<std::int64_t>& values) {
  std::vector<Stage> stages;
  std::int64_t last = 0;
  for (std::int64_t block = 0; block < values[kDepth]; ++block) {
    const std::int64_t width = block_width(values, block);
    const std::int64_t group = std::min(values[kGroup], width);
    if (width != last) stages.push_back({filled_by_groups(width, group), group, 0});
    ++stages.back().blocks;
    last = width;
  }
  return stages;
}

/// A grouped bottleneck of ratio 1.
Feature append_block(NetworkBuilder& builder, const std::string& name, const Feature& from,
                     const Stage& stage, std::int64_t stride, bool squeezes) {
  const Feature mixed = builder.convolution(
      name + ".conv1", from, {.out_channels = stage.width, .activation = Activation::relu});
  Feature filtered = builder.convolution(name + ".conv2", mixed,
                                         {.out_channels = stage.width,
                                          .kernel = 3,
                                          .stride = stride,
                                          .groups = stage.width / stage.group,
                                          .activation = Activation::relu});
  if (squeezes)
    filtered =
        builder.squeeze_excite(name + ".se", filtered, from.channels / 4, Activation::sigmoid);
  const Feature body =
      builder.convolution(name + ".conv3", filtered, {.out_channels = stage.width});
  const bool keeps_shape = stride == 1 && from.channels == stage.width;
  const Feature shortcut =
      keeps_shape ? from
                  : builder.convolution(name + ".shortcut", from,
                                        {.out_channels = stage.width, .stride = stride});
  return builder.activate(builder.add(name + ".add", {body, shortcut}), Activation::relu);
}

class RegNet : public ValueSpace {
 public:
  RegNet(std::int64_t image, std::int64_t classes)
      : ValueSpace("regnet", positions()), image_(image), classes_(classes) {}

  [[nodiscard]] Blueprint blueprint(const std::string& genotype) const override {
    const std::vector<std::int64_t> values = values_of(genotype);
    NetworkBuilder builder(name() + " " + genotype, 3, image_, image_);
    Feature feature = builder.convolution(
        "stem", builder.input(),
        {.out_channels = kStemChannels, .kernel = 3, .stride = 2, .activation = Activation::relu});
    int number = 0;
    for (const Stage& stage : stages_of(values)) {
      const std::string stage_name = "stage" + std::to_string(++number) + ".block";
      for (std::int64_t block = 0; block < stage.blocks; ++block)
        feature = append_block(builder, stage_name + std::to_string(block + 1), feature, stage,
                               block == 0 ? 2 : 1, values[kSqueeze] != 0);
    }
    builder.fully_connected("classifier", builder.global_pool("pool", feature), classes_);
    return std::move(builder).blueprint();
  }

  /// Lines that quantise to the same widths are one network: the first of them in the order of the
  /// grid. Every line is tried, so that nothing rests on how rounding falls.
  [[nodiscard]] std::string canonical(const std::string& genotype) const override {
    std::vector<std::int64_t> values = values_of(genotype);
    const std::vector<Stage> stages = stages_of(values);
    for (const std::int64_t first : positions()[kFirstWidth].values) {
      values[kFirstWidth] = first;
      const std::vector<std::int64_t> groups = groups_giving(stages.front(), first);
      if (groups.empty()) continue;
      for (const std::int64_t slope : positions()[kSlope].values)
        for (const std::int64_t ratio : positions()[kRatio].values) {
          values[kSlope] = slope;
          values[kRatio] = ratio;
          for (const std::int64_t group : groups) {
            values[kGroup] = group;
            if (ends_in(values, stages.back()) && stages_of(values) == stages)
              return joined(values);
          }
        }
    }
    return genotype;
  }

 protected:
  /// One or ten steps of a grid, so that a walk is neither long nor coarse.
  [[nodiscard]] bool adjacent(std::size_t position, std::uint32_t from,
                              std::uint32_t to) const override {
    const std::uint32_t steps = from < to ? to - from : from - to;
    return position >= kGroup || steps == 1 || steps == 10;
  }

 private:
  static std::vector<std::int64_t> groups_giving(const Stage& stage, std::int64_t width) {
    std::vector<std::int64_t> groups;
    for (const std::int64_t group : positions()[kGroup].values)
      if (std::min(group, width) == stage.group &&
          filled_by_groups(width, stage.group) == stage.width)
        groups.push_back(group);
    return groups;
  }

  static bool ends_in(const std::vector<std::int64_t>& values, const Stage& stage) {
    const std::int64_t width = block_width(values, values[kDepth] - 1);
    return filled_by_groups(width, std::min(values[kGroup], width)) == stage.width;
  }

  std::int64_t image_, classes_;
};

}  // namespace

std::vector<SpaceOption> regnet_options() {
  return {{"image", 224, 8, 1024, "height and width of the input"},
          {"classes", 1000, 1, 100000, "outputs of the classifier"}};
}

std::unique_ptr<NetworkSpace> make_regnet(const SpaceOptions& options) {
  return std::make_unique<RegNet>(options.at("image"), options.at("classes"));
}

}  // namespace cosearch::nas
