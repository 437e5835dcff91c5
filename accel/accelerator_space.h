// A space of machines: one template and a list of values per parameter, every combination.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "accel/accelerator.h"

namespace cosearch::accel {

/// The choices. One value in a list fixes that parameter.
struct AcceleratorChoices {
  std::string template_name = "nvdla";
  std::vector<std::int64_t> pe_rows{16};
  std::vector<std::int64_t> pe_columns{16};
  std::vector<Bytes> pe_buffer{{512}};
  std::vector<Bytes> shared_buffer{{128 * 1024}};
  std::vector<double> noc_bandwidth{64};   ///< bytes per cycle
  std::vector<double> dram_bandwidth{16};  ///< bytes per cycle
  std::vector<Hertz> clock{{200e6}};
  std::vector<std::int32_t> precision_bits{8};
};

/// Everything wrong with `choices`: an empty list, values not in increasing order (so that a step
/// up is a step up), a value no machine may have.
[[nodiscard]] std::vector<std::string> problems_in(const AcceleratorChoices& choices);

class AcceleratorSpace {
 public:
  static constexpr std::size_t kParameters = 8;
  /// Position in each list, in the order of the fields of AcceleratorChoices.
  using Digits = std::array<std::size_t, kParameters>;

  /// Throws UserError listing all problems.
  explicit AcceleratorSpace(AcceleratorChoices choices);

  [[nodiscard]] const AcceleratorChoices& choices() const { return choices_; }
  [[nodiscard]] std::uint64_t size() const;

  /// Requires index < size(). The last parameter varies fastest.
  [[nodiscard]] AcceleratorParameters at(std::uint64_t index) const;
  [[nodiscard]] bool contains(const AcceleratorParameters& parameters) const;

  /// Machines with one parameter one step down or up, in parameter order, down before up.
  [[nodiscard]] std::vector<std::uint64_t> neighbours(std::uint64_t index) const;

  [[nodiscard]] Digits decode(std::uint64_t index) const;
  [[nodiscard]] std::uint64_t encode(const Digits& digits) const;
  /// How many values each parameter has.
  [[nodiscard]] Digits radices() const;

 private:
  AcceleratorChoices choices_;
};

}  // namespace cosearch::accel
