#include "nas/training/torch/image_tensors.h"

#include <algorithm>
#include <sstream>
#include <type_traits>

#include "core/user_error.h"

namespace cosearch::nas {

void require_suitable(const LabelledImages& images, const Blueprint& blueprint,
                      const std::string& role) {
  const auto& [channels, height, width] = blueprint.steps.front().shape;
  const std::int64_t outputs = blueprint.steps.back().shape.channels;
  const auto pixels = std::visit([](const auto& all) { return std::ssize(all); }, images.pixels);
  std::ostringstream problem;
  if (images.count < 1) {
    problem << "no images";
  } else if (images.channels != channels || images.height != height || images.width != width) {
    problem << "images are " << images.channels << "x" << images.height << "x" << images.width
            << "; " << blueprint.name << " takes " << channels << "x" << height << "x" << width;
  } else if (images.classes != outputs) {
    problem << images.classes << " classes; " << blueprint.name << " tells " << outputs << " apart";
  } else if (pixels != images.count * channels * height * width) {
    problem << pixels << " pixels do not make " << images.count << " images";
  } else if (std::ssize(images.labels) != images.count) {
    problem << images.labels.size() << " labels for " << images.count << " images";
  } else if (const auto [least, most] = std::ranges::minmax(images.labels);
             least < 0 || most >= images.classes) {
    problem << "label " << (least < 0 ? least : most) << " with only " << images.classes
            << " classes";
  }
  if (!problem.str().empty()) throw UserError(role + ": " + problem.str());
}

torch::Tensor pixels_of(const LabelledImages& images, std::int64_t first, std::int64_t count) {
  return std::visit(
      [&](const auto& pixels) {
        using Number = std::remove_const_t<typename std::decay_t<decltype(pixels)>::element_type>;
        const std::int64_t numbers = images.channels * images.height * images.width;
        // from_blob takes no const pointer; the tensor is only read.
        auto* data = const_cast<Number*>(pixels.data()) + first * numbers;
        return torch::from_blob(data, {count, images.channels, images.height, images.width},
                                c10::CppTypeToScalarType<Number>::value);
      },
      images.pixels);
}

torch::Tensor labels_of(const LabelledImages& images, std::int64_t first, std::int64_t count) {
  auto* labels = const_cast<std::int32_t*>(images.labels.data()) + first;
  return torch::from_blob(labels, {count}, torch::kInt32).to(torch::kInt64);
}

}  // namespace cosearch::nas
