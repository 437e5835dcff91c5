#include "nas/choice_space.h"

#include <utility>

#include "core/user_error.h"

namespace cosearch::nas {
namespace {

constexpr double kEnumerable = 4294967296.0;  // 2^32

}  // namespace

ChoiceSpace::ChoiceSpace(std::string name, std::vector<std::uint32_t> alternatives)
    : name_(std::move(name)), alternatives_(std::move(alternatives)) {}

double ChoiceSpace::size() const {
  double product = 1;
  for (const std::uint32_t count : alternatives_) product *= count;
  return product;
}

Choices ChoiceSpace::choices_at(std::uint64_t index) const {
  Choices choices(alternatives_.size());
  for (std::size_t i = choices.size(); i-- > 0;) {
    choices[i] = static_cast<std::uint32_t>(index % alternatives_[i]);
    index /= alternatives_[i];
  }
  return choices;
}

std::uint64_t ChoiceSpace::index_of(const Choices& choices) const {
  std::uint64_t index = 0;
  for (std::size_t i = 0; i < choices.size(); ++i) index = index * alternatives_[i] + choices[i];
  return index;
}

std::string ChoiceSpace::genotype(std::uint64_t index) const {
  if (size() >= kEnumerable)
    throw UserError(name_ + ": has 2^32 networks or more and cannot be enumerated; sample it");
  if (index >= static_cast<std::uint64_t>(size()))
    throw UserError(name_ + ": no genotype " + std::to_string(index) + ": expected 0 to " +
                    std::to_string(static_cast<std::uint64_t>(size()) - 1));
  return spell(choices_at(index));
}

std::string ChoiceSpace::sample(Random& random) const {
  Choices choices;
  for (const std::uint32_t count : alternatives_)
    choices.push_back(static_cast<std::uint32_t>(random.below(count)));
  return spell(choices);
}

std::vector<std::string> ChoiceSpace::neighbours(const std::string& genotype) const {
  const Choices here = parse(genotype);
  std::vector<std::string> found;
  for (std::size_t i = 0; i < here.size(); ++i)
    for (std::uint32_t other = 0; other < alternatives_[i]; ++other) {
      if (other == here[i] || !adjacent(i, here[i], other)) continue;
      Choices there = here;
      there[i] = other;
      found.push_back(spell(there));
    }
  return found;
}

std::string ChoiceSpace::crossover(const std::string& first, const std::string& second,
                                   Random& random) const {
  Choices child = parse(first);
  const Choices other = parse(second);
  for (std::size_t i = 0; i < child.size(); ++i)
    if (random.below(2) == 1) child[i] = other[i];
  return spell(child);
}

std::string ChoiceSpace::canonical(const std::string& genotype) const {
  return spell(parse(genotype));
}

bool ChoiceSpace::contains(const std::string& genotype) const {
  try {
    return spell(parse(genotype)) == genotype;
  } catch (const UserError&) {
    return false;
  }
}

bool ChoiceSpace::adjacent(std::size_t, std::uint32_t, std::uint32_t) const { return true; }

}  // namespace cosearch::nas
