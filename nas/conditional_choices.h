// Choices of which some are made only where others ask for them, as in a space with nested blocks:
// how many combinations there are, which is the n-th, one drawn uniformly, and what lies next to
// one. Counting is exact and never lists the combinations: it walks the choices in an order in
// which each comes after those that decide over it, and tells apart only the values that a later
// choice still depends on (the frontier of a decision diagram).
// Source of the idea: D. Knuth, "The Art of Computer Programming", volume 4A, section 7.1.4.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/random.h"
#include "nas/choice_space.h"

namespace cosearch::nas {

using WholeNumber = boost::multiprecision::cpp_int;

/// A condition on choices.
struct ChoiceCondition {
  std::vector<std::size_t> positions;  ///< all that `holds` may look at
  /// Given at least the values at `positions`.
  std::function<bool(const Choices&)> holds;
};

struct ConditionalChoice {
  std::string name;  ///< for messages
  std::uint32_t alternatives = 1;
  /// When it is made; left out: always. Where it is not, its place holds kIdle.
  std::optional<ChoiceCondition> when = std::nullopt;
};

class ConditionalChoices {
 public:
  /// Every combination meets all `requirements`. Throws UserError when two choices each decide over
  /// the other, when too many choices have to be seen together to count, and when no combination
  /// meets the requirements.
  ConditionalChoices(std::vector<ConditionalChoice> choices,
                     std::vector<ChoiceCondition> requirements);

  /// The number of combinations; at least 1.
  [[nodiscard]] const WholeNumber& size() const { return size_; }
  /// Combination `index` of [0, size()), each once: the choice that is decided last varies fastest.
  [[nodiscard]] Choices at(WholeNumber index) const;
  /// Uniform over all combinations.
  [[nodiscard]] Choices sample(Random& random) const;

  /// Choices in the order in which they are decided.
  [[nodiscard]] const std::vector<std::size_t>& order() const { return order_; }
  /// Whether choice `position` is made, given all that are decided before it.
  [[nodiscard]] bool is_made(std::size_t position, const Choices& choices) const;
  /// The first requirement that `choices` breaks.
  [[nodiscard]] std::optional<std::size_t> broken_requirement(const Choices& choices) const;

  /// Combinations that differ from `here` in one choice, and in those that only one of the two
  /// makes. Of the latter every combination, unless there are more than 100: then all at their
  /// first value. Symmetric: b is among those of a exactly when a is among those of b.
  [[nodiscard]] std::vector<Choices> neighbours(const Choices& here) const;

  /// Takes every choice from one of two combinations, with equal chances where both make it, and
  /// draws those that neither makes. `first` where the result would break a requirement.
  [[nodiscard]] Choices crossover(const Choices& first, const Choices& second,
                                  Random& random) const;

 private:
  using State = std::vector<std::uint32_t>;  // values of live_[k], before decision k

  void sort();
  void visit(std::size_t position, std::vector<int>& marks);
  void find_live_choices();
  void count();
  [[nodiscard]] State state_after(std::size_t decision, const Choices& choices) const;
  [[nodiscard]] std::vector<std::uint32_t> values_of(std::size_t position,
                                                     const Choices& choices) const;
  [[nodiscard]] bool is_allowed_after(std::size_t decision, const Choices& choices) const;
  [[nodiscard]] const WholeNumber& count_after(std::size_t decision, const Choices& choices) const;

  struct Completions {
    std::vector<Choices> found;
    bool are_too_many = false;
  };
  [[nodiscard]] Completions completions(const Choices& here, std::size_t changed,
                                        std::uint32_t value) const;
  void complete(std::size_t decision, Choices& partial, const Choices& here, std::size_t changed,
                std::uint32_t value, Completions& result) const;
  [[nodiscard]] bool is_first_completion(const Choices& combination, const Choices& other) const;

  std::vector<ConditionalChoice> choices_;
  std::vector<ChoiceCondition> requirements_;
  std::vector<std::size_t> order_;
  std::vector<std::vector<std::size_t>> live_;           // positions, by decision
  std::vector<std::vector<std::size_t>> due_;            // requirements, by last decision
  std::vector<std::map<State, WholeNumber>> remaining_;  // combinations, by decision and state
  WholeNumber size_;
};

}  // namespace cosearch::nas
