// A set of tensors of a layer: which of them a level of storage keeps.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "core/layer.h"

namespace cosearch::accel {

class TensorSet {
 public:
  constexpr TensorSet() = default;
  constexpr TensorSet(std::initializer_list<Tensor> tensors) {
    for (const Tensor tensor : tensors) add(tensor);
  }
  [[nodiscard]] static constexpr TensorSet all() {
    return {Tensor::input, Tensor::weights, Tensor::output};
  }

  constexpr void add(Tensor tensor) { bits_ = static_cast<std::uint8_t>(bits_ | bit(tensor)); }
  constexpr void remove(Tensor tensor) { bits_ = static_cast<std::uint8_t>(bits_ & ~bit(tensor)); }
  [[nodiscard]] constexpr bool has(Tensor tensor) const { return (bits_ & bit(tensor)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  [[nodiscard]] constexpr bool contains(TensorSet other) const {
    return (other.bits_ & ~bits_) == 0;
  }
  friend constexpr bool operator==(TensorSet, TensorSet) = default;

 private:
  static constexpr unsigned bit(Tensor tensor) { return 1U << static_cast<unsigned>(tensor); }
  std::uint8_t bits_ = 0;
};

}  // namespace cosearch::accel
