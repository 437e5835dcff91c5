#include "nas/fashion_macro.h"

#include <vector>

#include "nas/macro_space.h"

namespace cosearch::nas {
namespace {

constexpr const char* kName = "fashion-macro";
// Every other position changes the shape, so that no two genotypes are one network.
std::vector<MacroPosition> fashion_positions(std::size_t count) {
  std::vector<MacroPosition> positions{{.in_channels = 8, .out_channels = 16, .stride = 2},
                                       {.in_channels = 16, .out_channels = 16, .stride = 1},
                                       {.in_channels = 16, .out_channels = 24, .stride = 1},
                                       {.in_channels = 24, .out_channels = 24, .stride = 1},
                                       {.in_channels = 24, .out_channels = 32, .stride = 2},
                                       {.in_channels = 32, .out_channels = 32, .stride = 1}};
  positions.resize(count);
  return positions;
}

class FashionMacro : public MacroSpace {
 public:
  explicit FashionMacro(const std::vector<MacroPosition>& positions)
      : MacroSpace(kName, positions,
                   {.image_channels = 1,
                    .image = kFashionImage,
                    .stem = {.out_channels = positions.front().in_channels,
                             .kernel = kFashionStemKernel,
                             .stride = kFashionStemStride,
                             .activation = Activation::relu6},
                    .head = {.out_channels = kFashionHeadChannels, .activation = Activation::relu6},
                    .classes = kFashionClasses,
                    .activation = Activation::relu6}) {}
};

}  // namespace

std::vector<SpaceOption> fashion_macro_options() {
  return {{"positions", kFashionDefaultPositions, kFashionLeastPositions, kFashionMostPositions,
           "searched blocks; the embedded benchmark has trained the default"}};
}

std::unique_ptr<NetworkSpace> make_fashion_macro(const SpaceOptions& options) {
  return std::make_unique<FashionMacro>(
      fashion_positions(static_cast<std::size_t>(options.at("positions"))));
}

}  // namespace cosearch::nas
