// A space that a file describes instead of C++ (docs/spaces.md, "A space in a file").
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nas/choice_space.h"
#include "nas/conditional_choices.h"
#include "nas/space_description.h"
#include "nas/space_program.h"

namespace cosearch::nas {

/// Genotypes list the value of every choice, in the order in which the file comes to them, and '-'
/// where this network does not make the choice: all spellings of one set of choices are one, so
/// that size, enumeration and sampling are over networks that differ in a choice that is read.
class DescribedSpace final : public ChoiceSpace {
 public:
  /// `options` complete. Throws UserError, at its place in the file, for what is wrong with the
  /// description, and for a network that does not fit together, naming the choices that lead there:
  /// all networks are tried where there are at most 512, else 256 drawn ones, fewer of very large.
  static std::unique_ptr<DescribedSpace> make(const SpaceDescription& description,
                                              const SpaceOptions& options);

  [[nodiscard]] double size() const override;
  /// Uniform over all networks.
  [[nodiscard]] std::string sample(Random& random) const override;
  [[nodiscard]] std::vector<std::string> neighbours(const std::string& genotype) const override;
  [[nodiscard]] std::string crossover(const std::string& first, const std::string& second,
                                      Random& random) const override;
  [[nodiscard]] Blueprint blueprint(const std::string& genotype) const override;

  /// What the values of a genotype stand for, in their order.
  [[nodiscard]] const std::vector<ProgramChoice>& made_choices() const {
    return program_->choices();
  }

 protected:
  [[nodiscard]] std::string spell(const Choices& choices) const override;
  /// What stands where no choice is made is passed over.
  [[nodiscard]] Choices parse(const std::string& genotype) const override;
  [[nodiscard]] Choices choices_at(std::uint64_t index) const override;

 private:
  DescribedSpace(const SpaceDescription& description, std::unique_ptr<const SpaceProgram> program);

  [[nodiscard]] Blueprint run(const Choices& choices) const;
  [[nodiscard]] std::string culprits(const Choices& choices, const UserError& error) const;
  [[nodiscard]] std::string listed(const Choices& choices,
                                   const std::vector<std::size_t>& positions) const;
  void check_networks() const;

  std::string separator_;
  std::unique_ptr<const SpaceProgram> program_;
  ConditionalChoices choices_;
  std::vector<std::vector<std::string>> labels_;  // by choice, '-' last
};

}  // namespace cosearch::nas
