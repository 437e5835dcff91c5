#include "nas/value_space.h"

#include <utility>

#include "nas/genotype_reader.h"

namespace cosearch::nas {
namespace {

std::vector<std::uint32_t> alternatives_of(const std::vector<ValuePosition>& positions) {
  std::vector<std::uint32_t> counts;
  for (const ValuePosition& position : positions)
    counts.push_back(static_cast<std::uint32_t>(position.values.size()));
  return counts;
}

}  // namespace

ValueSpace::ValueSpace(std::string name, std::vector<ValuePosition> positions)
    : ChoiceSpace(std::move(name), alternatives_of(positions)), positions_(std::move(positions)) {}

std::string ValueSpace::canonical(const std::string& genotype) const {
  Choices choices = parse(genotype);
  for (const std::size_t position : idle_positions(values_at(choices))) choices[position] = 0;
  return spell(choices);
}

std::vector<std::int64_t> ValueSpace::values_of(const std::string& genotype) const {
  return values_at(parse(genotype));
}

std::vector<std::size_t> ValueSpace::idle_positions(const std::vector<std::int64_t>&) const {
  return {};
}

std::string ValueSpace::joined(const std::vector<std::int64_t>& values) {
  std::string text;
  for (const std::int64_t value : values) text += (text.empty() ? "" : ";") + std::to_string(value);
  return text;
}

std::string ValueSpace::spell(const Choices& choices) const { return joined(values_at(choices)); }

Choices ValueSpace::parse(const std::string& genotype) const {
  const std::string space = name();
  GenotypeReader reader(space, genotype);
  Choices choices;
  for (const ValuePosition& position : positions_) {
    if (!choices.empty()) reader.expect(";");
    choices.push_back(static_cast<std::uint32_t>(reader.number(position.what, position.values)));
  }
  reader.expect_end();
  return choices;
}

std::vector<std::int64_t> ValueSpace::values_at(const Choices& choices) const {
  std::vector<std::int64_t> values;
  for (std::size_t i = 0; i < choices.size(); ++i)
    values.push_back(positions_[i].values[choices[i]]);
  return values;
}

}  // namespace cosearch::nas
