// A space whose genotype is a fixed number of independent choices: what all of ours have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nas/space.h"

namespace cosearch::nas {

/// Which alternative was taken at each position.
using Choices = std::vector<std::uint32_t>;
/// In Choices: nothing was, because the other choices leave none to make here. Only spaces in files
/// (nas/described_space.h) have such positions.
inline constexpr std::uint32_t kIdle = 0xffffffff;

/// All networks of a space in one: each choice is a sum of all its alternatives.
struct MixedBlueprint {
  struct Mixture {
    std::size_t step;    ///< Operation::add, whose inputs are the alternatives in order
    std::size_t choice;  ///< which choice of the genotype; several mixtures may follow one
  };

  Blueprint blueprint;
  std::vector<Mixture> mixtures;
};

/// Size, enumeration (the last position varies fastest), sampling and neighbourhood, given how a
/// genotype is spelled and read.
class ChoiceSpace : public NetworkSpace {
 public:
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] double size() const override;
  [[nodiscard]] std::string genotype(std::uint64_t index) const override;
  [[nodiscard]] std::string sample(Random& random) const override;
  [[nodiscard]] std::vector<std::string> neighbours(const std::string& genotype) const override;
  [[nodiscard]] std::string crossover(const std::string& first, const std::string& second,
                                      Random& random) const override;
  /// The genotype itself: right where no two spellings are one network.
  [[nodiscard]] std::string canonical(const std::string& genotype) const override;
  [[nodiscard]] bool contains(const std::string& genotype) const override;

  /// How many alternatives there are at each position.
  [[nodiscard]] const std::vector<std::uint32_t>& choice_counts() const { return alternatives_; }
  /// Which of them `genotype` takes. Throws UserError as `lower` does.
  [[nodiscard]] Choices choices(const std::string& genotype) const { return parse(genotype); }
  /// The inverse. Requires choices within `choice_counts`.
  [[nodiscard]] std::string genotype_of(const Choices& choices) const { return spell(choices); }

  /// For differentiable search; nothing where the space has none: its choices are not operations
  /// side by side.
  [[nodiscard]] virtual std::optional<MixedBlueprint> mixed_blueprint() const {
    return std::nullopt;
  }

 protected:
  /// `alternatives`: how many there are at each position, each at least 1.
  ChoiceSpace(std::string name, std::vector<std::uint32_t> alternatives);

  [[nodiscard]] virtual std::string spell(const Choices& choices) const = 0;
  /// Throws UserError as `lower` does.
  [[nodiscard]] virtual Choices parse(const std::string& genotype) const = 0;
  /// Whether going from one alternative to another at `position` is one elementary change.
  [[nodiscard]] virtual bool adjacent(std::size_t position, std::uint32_t from,
                                      std::uint32_t to) const;

  /// The inverse of `genotype(index)`. Requires a space of fewer than 2^32 genotypes.
  [[nodiscard]] std::uint64_t index_of(const Choices& choices) const;
  [[nodiscard]] virtual Choices choices_at(std::uint64_t index) const;

 private:
  std::string name_;
  std::vector<std::uint32_t> alternatives_;
};

}  // namespace cosearch::nas
