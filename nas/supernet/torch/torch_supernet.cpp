// The module's SupernetTrainer, loaded by load_supernet_trainer.
#include <torch/torch.h>

#include <limits>
#include <utility>

#include "core/user_error.h"
#include "nas/supernet/supernet.h"
#include "nas/supernet/torch/differentiable_run.h"
#include "nas/supernet/torch/subnet_evaluation.h"
#include "nas/supernet/torch/supernet_run.h"
#include "nas/training/module.h"
#include "nas/training/torch/learning.h"
#include "nas/training/torch/libraries.h"

namespace cosearch::nas {
namespace {

void refuse(const std::vector<std::string>& problems) {
  std::string text;
  for (const std::string& problem : problems) text += (text.empty() ? "" : "\n") + problem;
  if (!text.empty()) throw UserError(text);
}

template <class Work>
auto with_one_thread(const NetworkSpace& space, Work work) {
  use_one_thread();
  try {
    return work();
  } catch (const c10::Error& error) {
    // Its text without the stack: a state of something else, or no memory left.
    throw UserError(space.name() + ": LibTorch: " + error.what_without_backtrace());
  }
}

class TorchSupernet : public Supernet {
 public:
  TorchSupernet(std::string_view state, const NetworkSpace& space, const SupernetRecipe& supernet,
                const EvaluationOptions& options, const LabelledImages& images)
      : space_(space),
        batch_(supernet.training.batches.front()),
        trained_(tensors_in(state)),
        seed_(seed_in(trained_)),
        whole_(space, supernet.sharing) {
    const TrainingRecipe& recipe = supernet.training;
    Random random(0);
    require_suitable(images, space.blueprint(space.sample(random)), "training images");
    const PixelScale scale = pixel_scale(images, recipe.training_images);
    recalibration_ = scaled(images, 0, options.recalibration_images, scale, torch::kCPU);
    validation_ =
        scaled(images, recipe.training_images, options.validation_images, scale, torch::kCPU);
  }

  double accuracy_of(const std::string& genotype) const override {
    return with_one_thread(space_, [&] {
      Blueprint blueprint = space_.blueprint(genotype);
      std::vector<StepModules> modules;
      for (const Step& step : blueprint.steps)
        modules.push_back(inherited_modules(step, whole_, seed_, trained_));
      BlueprintNetwork network(std::move(blueprint), std::move(modules));
      recalibrate(network, recalibration_, batch_);
      return has_numbers(network) ? accuracy_percent(network, validation_)
                                  : std::numeric_limits<double>::quiet_NaN();
    });
  }

 private:
  [[nodiscard]] bool has_numbers(BlueprintNetwork& network) const {
    const torch::NoGradGuard no_gradient;
    network.eval();
    return outputs_of(network, validation_.pixels.slice(0, 0, 1)).isfinite().all().item<bool>();
  }

  const NetworkSpace& space_;
  std::int64_t batch_;
  TensorMap trained_;
  std::uint64_t seed_;
  WholeSteps whole_;
  ScaledImages recalibration_, validation_;
};

class TorchSupernetTrainer : public SupernetTrainer {
 public:
  std::optional<std::string> train(const SupernetTask& task,
                                   const LabelledImages& images) const override {
    refuse(problems_in(task.recipe, images.count));
    return with_one_thread(task.space, [&] { return SupernetRun(task, images).finish(); });
  }

  std::unique_ptr<Supernet> load(std::string_view state, const NetworkSpace& space,
                                 const SupernetRecipe& recipe, const EvaluationOptions& options,
                                 const LabelledImages& images) const override {
    refuse(problems_in(recipe, images.count));
    refuse(problems_in(options, recipe, images.count));
    return with_one_thread(space, [&]() -> std::unique_ptr<Supernet> {
      return std::make_unique<TorchSupernet>(state, space, recipe, options, images);
    });
  }

  std::optional<std::vector<SearchEpoch>> search(const SearchTask& task,
                                                 const LabelledImages& images) const override {
    refuse(problems_in(task.recipe, images.count));
    return with_one_thread(task.space, [&] { return DifferentiableRun(task, images).finish(); });
  }

  std::string description() const override { return library_description(); }
};

}  // namespace
}  // namespace cosearch::nas

extern "C" cosearch::nas::SupernetTrainer* cosearch_create_supernet_trainer_1() {
  return new cosearch::nas::TorchSupernetTrainer();
}
