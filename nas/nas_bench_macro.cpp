#include "nas/nas_bench_macro.h"

#include <utility>

#include "nas/macro_space.h"

namespace cosearch::nas {
namespace {

constexpr int kStemChannels = 32;
constexpr int kHeadChannels = 1280;

/// Three stages of 2, 3 and 3 positions; the first of each doubles the channels at stride 2.
std::vector<MacroPosition> stages() {
  std::vector<MacroPosition> positions;
  int channels = kStemChannels;
  for (const int depth : {2, 3, 3}) {
    positions.push_back({.in_channels = channels, .out_channels = 2 * channels, .stride = 2});
    channels *= 2;
    for (int i = 1; i < depth; ++i)
      positions.push_back({.in_channels = channels, .out_channels = channels, .stride = 1});
  }
  return positions;
}

class NasBenchMacro : public MacroSpace {
 public:
  NasBenchMacro(std::int64_t image, std::int64_t classes)
      : MacroSpace(
            "nas-bench-macro", stages(),
            {.image_channels = 3,
             .image = image,
             .stem = {.out_channels = kStemChannels, .kernel = 3, .activation = Activation::relu},
             .head = {.out_channels = kHeadChannels, .activation = Activation::relu},
             .classes = classes,
             .activation = Activation::relu}) {}
};

}  // namespace

std::vector<SpaceOption> nas_bench_macro_options() {
  return {{"image", 32, 8, 1024, "height and width of the input"},
          {"classes", 10, 1, 100000, "outputs of the classifier"}};
}

std::unique_ptr<NetworkSpace> make_nas_bench_macro(const SpaceOptions& options) {
  return std::make_unique<NasBenchMacro>(options.at("image"), options.at("classes"));
}

}  // namespace cosearch::nas
