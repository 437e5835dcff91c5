#include "nas/macro_space.h"

#include <algorithm>
#include <utility>

#include "nas/genotype_reader.h"

namespace cosearch::nas {
namespace {

constexpr std::uint32_t kOperations = 3;

bool keeps_shape(const MacroPosition& position) {
  return position.stride == 1 && position.in_channels == position.out_channels;
}

// Appends what fills `position`. The identity is nothing where the shape stays, and a 1x1
// convolution and batch norm where it changes. `activation` follows the expansion and the depthwise
// convolution.
Feature append_operation(NetworkBuilder& builder, const std::string& name, const Feature& from,
                         const MacroPosition& position, std::uint32_t operation,
                         Activation activation) {
  if (operation == 0 && keeps_shape(position)) return from;
  if (operation == 0)
    return builder.convolution(name + ".downsample", from,
                               {.out_channels = position.out_channels, .stride = position.stride});
  MbConvOptions options{.out_channels = position.out_channels,
                        .expanded_channels = from.channels * (operation == 1 ? 3 : 6),
                        .kernel = operation == 1 ? 3 : 5,
                        .stride = position.stride,
                        .activation = activation};
  if (keeps_shape(position)) options.shortcut = from;
  return builder.mbconv(name, from, options);
}

}  // namespace

MacroSpace::MacroSpace(std::string name, std::vector<MacroPosition> positions, const Frame& frame)
    : ChoiceSpace(std::move(name), std::vector<std::uint32_t>(positions.size(), kOperations)),
      positions_(std::move(positions)),
      frame_(frame) {}

template <class AppendPosition>
Blueprint MacroSpace::framed(const std::string& name, AppendPosition append_position) const {
  NetworkBuilder builder(name, frame_.image_channels, frame_.image, frame_.image);
  Feature feature = builder.convolution("stem", builder.input(), frame_.stem);
  for (std::size_t i = 0; i < positions_.size(); ++i)
    feature = append_position(builder, feature, i);
  feature = builder.convolution("head", feature, frame_.head);
  builder.fully_connected("classifier", builder.global_pool("pool", feature), frame_.classes);
  return std::move(builder).blueprint();
}

Blueprint MacroSpace::blueprint(const std::string& genotype) const {
  const Choices choices = parse(genotype);
  return framed(name() + " " + spell(choices),
                [&](NetworkBuilder& builder, const Feature& from, std::size_t i) {
                  return append_operation(builder, "block" + std::to_string(i), from, positions_[i],
                                          choices[i], frame_.activation);
                });
}

std::optional<MixedBlueprint> MacroSpace::mixed_blueprint() const {
  MixedBlueprint mixed;
  mixed.blueprint =
      framed(name() + " mixed", [&](NetworkBuilder& builder, const Feature& from, std::size_t i) {
        const std::string block = "block" + std::to_string(i);
        std::vector<Feature> alternatives;
        for (std::uint32_t operation = 0; operation < kOperations; ++operation)
          alternatives.push_back(
              append_operation(builder, block + ".operation" + std::to_string(operation), from,
                               positions_[i], operation, frame_.activation));
        const Feature mixture = builder.add(block + ".mixture", alternatives);
        mixed.mixtures.push_back({mixture.step, i});
        return mixture;
      });
  return mixed;
}

std::string MacroSpace::spell(const Choices& choices) const {
  std::string digits;
  for (const std::uint32_t choice : choices) digits += static_cast<char>('0' + choice);
  return digits;
}

Choices MacroSpace::parse(const std::string& genotype) const {
  const std::string space = name();  // outlives the reader
  GenotypeReader reader(space, genotype);
  Choices choices;
  for (std::size_t i = 0; i < positions_.size(); ++i)
    choices.push_back(static_cast<std::uint32_t>(reader.digit(
        "operation " + std::to_string(i + 1) + " of " + std::to_string(positions_.size()),
        kOperations)));
  reader.expect_end();
  return choices;
}

std::string MacroSpace::canonical(const std::string& genotype) const {
  std::string digits = spell(parse(genotype));
  for (std::size_t begin = 0; begin < digits.size();) {
    std::size_t end = begin;
    while (end < digits.size() && keeps_shape(positions_[end])) ++end;
    std::stable_partition(digits.begin() + static_cast<std::ptrdiff_t>(begin),
                          digits.begin() + static_cast<std::ptrdiff_t>(end),
                          [](char digit) { return digit == '0'; });
    begin = end + 1;
  }
  return digits;
}

}  // namespace cosearch::nas
