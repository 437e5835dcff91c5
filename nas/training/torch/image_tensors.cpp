#include "nas/training/torch/image_tensors.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <sstream>
#include <type_traits>
#include <vector>

#include "core/user_error.h"
#include "nas/training/augmentation.h"

namespace cosearch::nas {

void require_suitable(const LabelledImages& images, const Blueprint& blueprint,
                      const std::string& role) {
  const FeatureShape &input = blueprint.steps.front().shape, &output = blueprint.steps.back().shape;
  const auto pixels = std::visit([](const auto& all) { return std::ssize(all); }, images.pixels);
  std::ostringstream problem;
  if (reads_tokens(blueprint)) {
    problem << blueprint.name << " reads tokens, not images";
  } else if (output.height * output.width != 1) {
    problem << blueprint.name << " has an output for each of " << output.height << "x"
            << output.width << " places, not one for the image";
  } else if (images.count < 1) {
    problem << "no images";
  } else if (!can_be_fitted(images, input)) {
    problem << "images are " << images.channels << "x" << images.height << "x" << images.width
            << "; " << blueprint.name << " takes " << input.channels << "x" << input.height << "x"
            << input.width;
  } else if (images.classes != output.channels) {
    problem << images.classes << " classes; " << blueprint.name << " tells " << output.channels
            << " apart";
  } else if (pixels != images.count * images.channels * images.height * images.width) {
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

torch::Tensor fitted(const torch::Tensor& pixels, const FeatureShape& input) {
  namespace functional = torch::nn::functional;
  torch::Tensor images = pixels;
  if (pixels.size(2) != input.height || pixels.size(3) != input.width)
    images = functional::interpolate(pixels, functional::InterpolateFuncOptions()
                                                 .size(std::vector{input.height, input.width})
                                                 .mode(torch::kBilinear)
                                                 .align_corners(false)
                                                 .antialias(true));
  return pixels.size(1) == input.channels ? images : images.expand({-1, input.channels, -1, -1});
}

torch::Tensor labels_of(const LabelledImages& images, std::int64_t first, std::int64_t count) {
  auto* labels = const_cast<std::int32_t*>(images.labels.data()) + first;
  return torch::from_blob(labels, {count}, torch::kInt32).to(torch::kInt64);
}

// In parts: in double precision, all images at once would be eight times their size.
PixelScale pixel_scale(const LabelledImages& images, std::int64_t count) {
  constexpr std::int64_t kPart = 1000;
  const auto numbers = static_cast<double>(count * images.channels * images.height * images.width);
  const auto sum_over_parts = [&](auto value_of) {
    double sum = 0;
    for (std::int64_t first = 0; first < count; first += kPart)
      sum += value_of(pixels_of(images, first, std::min(kPart, count - first)).to(torch::kFloat64))
                 .sum()
                 .template item<double>();
    return sum;
  };
  const double mean = sum_over_parts([](const torch::Tensor& part) { return part; }) / numbers;
  const double squares =
      sum_over_parts([&](const torch::Tensor& part) { return (part - mean).square(); });
  const double deviation = std::sqrt(squares / (numbers - 1));
  return {mean, deviation > 0 ? deviation : 1};
}

ScaledImages scaled(const LabelledImages& images, std::int64_t first, std::int64_t count,
                    const PixelScale& scale, torch::Device device) {
  return {pixels_of(images, first, count)
              .to(torch::kFloat32, /*non_blocking=*/false, /*copy=*/true)
              .sub_(scale.mean)
              .div_(scale.deviation)
              .to(device),
          labels_of(images, first, count).to(device)};
}

ScaledImages batch_of(const ScaledImages& images, const torch::Tensor& chosen,
                      const TrainingRecipe& recipe, Random& augmentation) {
  const torch::Device device = images.pixels.device();
  ScaledImages batch{images.pixels.index_select(0, chosen.to(device)),
                     images.labels.index_select(0, chosen.to(device))};
  if (recipe.crop_padding == 0 && !recipe.horizontal_flip) return batch;
  const torch::Tensor pixels = batch.pixels.to(torch::kCPU);
  const ImageShape shape{pixels.size(1), pixels.size(2), pixels.size(3)};
  const auto numbers = static_cast<std::size_t>(shape.numbers());
  torch::Tensor augmented = torch::empty_like(pixels);
  for (std::int64_t i = 0; i < pixels.size(0); ++i)
    augment({pixels.data_ptr<float>() + i * shape.numbers(), numbers}, shape,
            draw_augmentation(augmentation, recipe.crop_padding, recipe.horizontal_flip),
            {augmented.data_ptr<float>() + i * shape.numbers(), numbers});
  batch.pixels = augmented.to(device);
  return batch;
}

}  // namespace cosearch::nas
