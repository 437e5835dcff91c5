// How a network is trained.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cosearch::nas {

enum class Optimiser : std::uint8_t {
  sgd,    ///< stochastic gradient descent with Nesterov momentum
  adamw,  ///< I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", ICLR 2019
};

[[nodiscard]] std::vector<std::string> optimiser_names();
[[nodiscard]] std::string_view name_of(Optimiser optimiser);
/// Throws UserError (with a suggestion) when no optimiser is called `name`.
[[nodiscard]] Optimiser optimiser_named(std::string_view name);

/// The learning rate rises linearly and then falls to zero along half a cosine (I. Loshchilov,
/// F. Hutter, "SGDR", ICLR 2017, without restarts). Images are normalised to zero mean and unit
/// variance over the training images. The defaults are the recipe of the embedded Fashion-MNIST
/// table (datasets/data/fashion_macro.csv).
struct TrainingRecipe {
  /// The first so many of the training images are used.
  std::int64_t training_images = 10000;

  /// Passes over them, each in an order of its own.
  int epochs = 4;

  /// Images per step. Images that do not fill a last batch wait for another epoch's order. The
  /// epochs are shared out among several sizes in their order, evenly, the first ones getting what
  /// is over: growing ones do for the noise of gradients what a falling learning rate does
  /// (S. Smith et al., "Don't decay the learning rate, increase the batch size", ICLR 2018).
  std::vector<int> batches{50};

  Optimiser optimiser = Optimiser::sgd;

  /// Largest learning rate, reached at the end of the warm-up.
  double learning_rate = 0.15;

  /// Share of all steps over which the learning rate rises, in [0, 1).
  double warmup_fraction = 0.2;

  /// Of the gradient, in [0, 1): Nesterov momentum, or AdamW's first beta (the second is 0.999).
  double momentum = 0.9;

  /// SGD: added to the gradient as this times the parameter. AdamW: this times the learning rate is
  /// taken from the parameter. For every parameter.
  double weight_decay = 5e-4;

  /// Probability taken from the true class and spread evenly over all classes, in [0, 1).
  double label_smoothing = 0.0;

  /// Augmentation: each image is moved by up to so many pixels, evenly drawn for each direction;
  /// the mean grey or colour fills up.
  int crop_padding = 0;

  /// Augmentation: every other image, drawn evenly, is mirrored left to right.
  bool horizontal_flip = false;

  /// Early stopping: training ends when the accuracy on the validation images has not risen for so
  /// many epochs, and the epoch with the highest counts. 0: all epochs are run, the last one
  /// counts.
  int patience = 0;

  /// Training images behind those used, which early stopping goes by.
  std::int64_t validation_images = 0;
};

/// Everything wrong with `recipe` for so many training images, in the user's words; empty when
/// valid.
[[nodiscard]] std::vector<std::string> problems_in(const TrainingRecipe& recipe,
                                                   std::int64_t images);

/// Images per step in `epoch`, from 0.
[[nodiscard]] int batch_in(const TrainingRecipe& recipe, int epoch);

/// Steps of the first `epochs` epochs.
[[nodiscard]] std::int64_t steps_in(const TrainingRecipe& recipe, int epochs);

/// The learning rate of `step`, from 0, of `steps`.
[[nodiscard]] double learning_rate_at(std::int64_t step, std::int64_t steps,
                                      const TrainingRecipe& recipe);

}  // namespace cosearch::nas
