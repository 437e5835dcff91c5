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

MacroSpace::MacroSpace(std::string name, std::vector<MacroPosition> positions)
    : ChoiceSpace(std::move(name), std::vector<std::uint32_t>(positions.size(), kOperations)),
      positions_(std::move(positions)) {}

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
