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

}  // namespace

MacroBlock macro_block(const MacroPosition& position, std::uint32_t operation) {
  constexpr int kExpansions[] = {0, 3, 6};
  constexpr int kKernels[] = {1, 3, 5};
  return {position.in_channels, position.out_channels, position.stride, kExpansions[operation],
          kKernels[operation]};
}

Feature append_macro_block(NetworkBuilder& builder, const std::string& name, const Feature& from,
                           const MacroBlock& block, Activation activation) {
  if (block.expansion == 0 && block.keeps_shape()) return from;
  if (block.expansion == 0)
    return builder.convolution(name + ".downsample", from,
                               {.out_channels = block.out_channels, .stride = block.stride});
  MbConvOptions options{.out_channels = block.out_channels,
                        .expanded_channels = from.channels * block.expansion,
                        .kernel = block.kernel,
                        .stride = block.stride,
                        .activation = activation};
  if (block.keeps_shape()) options.shortcut = from;
  return builder.mbconv(name, from, options);
}

Choices parse_macro(const std::string& space, const std::string& genotype, std::size_t positions) {
  GenotypeReader reader(space, genotype);
  Choices choices;
  for (std::size_t i = 0; i < positions; ++i)
    choices.push_back(static_cast<std::uint32_t>(reader.digit(
        "operation " + std::to_string(i + 1) + " of " + std::to_string(positions), kOperations)));
  reader.expect_end();
  return choices;
}

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
  return framed(name() + " " + spell(choices), [&](NetworkBuilder& builder, const Feature& from,
                                                   std::size_t i) {
    return append_macro_block(builder, "block" + std::to_string(i), from,
                              macro_block(positions_[i], choices[i]), frame_.activation);
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
              append_macro_block(builder, block + ".operation" + std::to_string(operation), from,
                                 macro_block(positions_[i], operation), frame_.activation));
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
  return parse_macro(name(), genotype, positions_.size());
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
