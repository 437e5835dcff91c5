// A space whose genotype lists a whole number for each of its positions: "224;3;5;...".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nas/choice_space.h"

namespace cosearch::nas {

struct ValuePosition {
  std::string what;  ///< as messages name it: "the kernel of stage 2"
  /// At least one. Of the last position, none may begin with the digits of another: a genotype cut
  /// short is then never a genotype.
  std::vector<std::int64_t> values;
};

class ValueSpace : public ChoiceSpace {
 public:
  /// Positions that shape nothing of this network take their first value.
  [[nodiscard]] std::string canonical(const std::string& genotype) const override;

 protected:
  ValueSpace(std::string name, std::vector<ValuePosition> positions);

  /// What stands at each position. Throws UserError as `lower` does.
  [[nodiscard]] std::vector<std::int64_t> values_of(const std::string& genotype) const;
  /// The genotype that lists `values`.
  [[nodiscard]] static std::string joined(const std::vector<std::int64_t>& values);
  /// Positions that, at these values, shape nothing of the network.
  [[nodiscard]] virtual std::vector<std::size_t> idle_positions(
      const std::vector<std::int64_t>& values) const;

  [[nodiscard]] std::string spell(const Choices& choices) const override;
  [[nodiscard]] Choices parse(const std::string& genotype) const override;

 private:
  [[nodiscard]] std::vector<std::int64_t> values_at(const Choices& choices) const;

  std::vector<ValuePosition> positions_;
};

}  // namespace cosearch::nas
