// Options that all commands which train networks have.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "codesign/cli/console.h"
#include "datasets/image_set.h"
#include "nas/training/recipe.h"
#include "nas/training/trainer.h"

namespace cosearch::codesign {

/// Which images to train and test on.
struct ImageOptions {
  std::string folder;
  datasets::ArrayLayout layout = datasets::ArrayLayout::unstated;

  /// Those of Debian's dataset-fashion-mnist.
  ImageOptions();
  [[nodiscard]] datasets::ImageData read() const {
    return datasets::read_image_data(folder, layout);
  }
};

void add_image_options(CLI::App& command, ImageOptions& options);
/// Its part about arrays, for commands that say otherwise what is done without a folder.
void add_array_layout_option(CLI::App& command, datasets::ArrayLayout& layout);

/// Notes where images can be fitted to what the network takes, and are not of its size or channels.
void note_fitting(const Console& console, const nas::LabelledImages& images,
                  const nas::Blueprint& network);

/// All of the recipe but early stopping. `are_images_counted` becomes true when the number of
/// training images is given. Both must outlive the command.
void add_recipe_options(CLI::App& command, nas::TrainingRecipe& recipe, bool& are_images_counted);

}  // namespace cosearch::codesign
