// The training module, loaded by load_trainer.
#include <torch/torch.h>

#include <chrono>

#include "core/user_error.h"
#include "nas/training/module.h"
#include "nas/training/torch/libraries.h"
#include "nas/training/torch/training_run.h"
#include "nas/training/trainer.h"

namespace cosearch::nas {
namespace {

using Clock = std::chrono::steady_clock;

void check_recipe(const TrainingRecipe& recipe, std::int64_t images) {
  std::string text;
  for (const std::string& problem : problems_in(recipe, images))
    text += (text.empty() ? "" : "\n") + problem;
  if (!text.empty()) throw UserError(text);
}

// Slower kernels that give the same sums in every run.
void use_repeatable_cuda() {
  if (!torch::cuda::is_available())
    throw UserError("no CUDA device: LibTorch was built without CUDA, or there is no such device");
  at::globalContext().setBenchmarkCuDNN(false);
  at::globalContext().setDeterministicCuDNN(true);
}

class TorchTrainer : public Trainer {
 public:
  std::optional<TrainingResult> train(const TrainingTask& task, const LabelledImages& training,
                                      const LabelledImages& test) const override {
    const auto start = Clock::now();
    check_recipe(task.recipe, training.count);
    use_one_thread();
    if (task.device == Device::cuda) use_repeatable_cuda();
    try {
      std::optional<TrainingResult> result = TrainingRun(task, training, test).finish();
      if (result) result->seconds = std::chrono::duration<double>(Clock::now() - start).count();
      return result;
    } catch (const c10::Error& error) {
      // Its text without the stack: a checkpoint of something else, or no memory left on a device.
      throw UserError(task.blueprint.name + ": LibTorch: " + error.what_without_backtrace());
    }
  }

  bool has_cuda() const override { return torch::cuda::is_available(); }

  std::string description() const override { return library_description(); }
};

}  // namespace
}  // namespace cosearch::nas

extern "C" cosearch::nas::Trainer* cosearch_create_trainer_1() {
  return new cosearch::nas::TorchTrainer();
}
