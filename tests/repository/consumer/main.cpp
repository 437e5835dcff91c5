// Counts a layer's multiplications and checks a machine with the installed library.
#include <cstdint>
#include <iostream>

#include "accel/machine.h"
#include "core/layer.h"

int main() {
  const cosearch::Layer layer = cosearch::same_convolution(3, 64, 224, 224, 7, /*stride=*/2);
  std::cout << cosearch::describe(layer) << ": " << layer.macs() << " MACs\n";

  // The first layer of ResNet-50: kernels of 7 x 7 over 3 channels, 64 outputs of 112 x 112.
  const std::int64_t expected = std::int64_t{7} * 7 * 3 * 64 * 112 * 112;
  cosearch::accel::Machine machine;
  machine.levels.resize(1);
  machine.levels[0].name = "DRAM";
  const bool valid = cosearch::accel::problems_in(machine).empty();
  return layer.macs() == expected && valid ? 0 : 1;
}
