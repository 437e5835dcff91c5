// Counts a layer's multiplications with the installed library.
#include <iostream>

#include "core/layer.h"

int main() {
  const cosearch::Layer layer = cosearch::same_convolution(3, 64, 224, 224, 7, /*stride=*/2);
  std::cout << cosearch::describe(layer) << ": " << layer.macs() << " MACs\n";
  return layer.macs() == 118'013'952 ? 0 : 1;  // 3 x 64 x 112^2 x 7^2, as in ResNet-50's first layer
}
