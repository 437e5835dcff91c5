#include "codesign/cli/training_options.h"

#include <fmt/format.h>

#include "codesign/cli/program_files.h"

namespace cosearch::codesign {

ImageOptions::ImageOptions() : folder(default_image_folder().string()) {}

void add_image_options(CLI::App& command, ImageOptions& options) {
  command.add_option("--images", options.folder,
                     "folder of IDX files, NPY files, or train/CLASS and test/CLASS folders "
                     "of PNG and JPEG files");
  add_array_layout_option(command, options.layout);
}

void add_array_layout_option(CLI::App& command, datasets::ArrayLayout& layout) {
  command
      .add_option("--array-layout",
                  "of NPY images with four dimensions: nchw, channels first, or nhwc, last")
      ->each([&layout](const std::string& name) { layout = datasets::array_layout_named(name); });
}

void note_fitting(const Console& console, const nas::LabelledImages& images,
                  const nas::Blueprint& network) {
  const nas::FeatureShape& input = network.steps.front().shape;
  if (input == nas::FeatureShape{images.channels, images.height, images.width} ||
      !can_be_fitted(images, input))
    return;
  console.note(fmt::format(
      "images of {}x{}x{} are fitted to what each network takes, {}x{}x{} for {}", images.channels,
      images.height, images.width, input.channels, input.height, input.width, network.name));
}

void add_recipe_options(CLI::App& command, nas::TrainingRecipe& recipe, bool& are_images_counted) {
  command.add_option("--training-images", recipe.training_images, "images used, the first")
      ->each([&are_images_counted](const std::string&) { are_images_counted = true; });
  command.add_option("--epochs", recipe.epochs, "passes over them");
  command
      .add_option("--batch", recipe.batches,
                  "images a step; several, such as 25,50,100, share the epochs out among them")
      ->delimiter(',');
  command.add_option("--optimiser", "sgd or adamw")
      ->default_str(std::string(nas::name_of(recipe.optimiser)))
      ->each([&recipe](const std::string& name) { recipe.optimiser = nas::optimiser_named(name); });
  command.add_option("--learning-rate", recipe.learning_rate, "the largest learning rate");
  command.add_option("--warmup", recipe.warmup_fraction,
                     "share of all steps over which the learning rate rises");
  command.add_option("--momentum", recipe.momentum, "of the gradient");
  command.add_option("--weight-decay", recipe.weight_decay, "pull of every parameter to zero");
  command.add_option("--label-smoothing", recipe.label_smoothing,
                     "probability spread over all classes");
  command.add_option("--crop-padding", recipe.crop_padding,
                     "each image is moved by up to so many pixels");
  command.add_flag("--flip", recipe.horizontal_flip, "every other image is mirrored left to right");
}

}  // namespace cosearch::codesign
