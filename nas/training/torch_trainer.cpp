// The training module, loaded by load_trainer.
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/torch.h>

#include <chrono>

#include "core/user_error.h"
#include "nas/training/module.h"
#include "nas/training/torch/training_run.h"
#include "nas/training/trainer.h"

// OpenBLAS keeps threads of its own, which LibTorch does not know of. Null with another BLAS.
extern "C" void openblas_set_num_threads(int threads) __attribute__((weak));
extern "C" char* openblas_get_config() __attribute__((weak));

namespace cosearch::nas {
namespace {

using Clock = std::chrono::steady_clock;

void check_recipe(const TrainingRecipe& recipe, std::int64_t images) {
  std::string text;
  for (const std::string& problem : problems_in(recipe, images))
    text += (text.empty() ? "" : "\n") + problem;
  if (!text.empty()) throw UserError(text);
}

// For the calling thread: LibTorch's and OpenMP's settings belong to a thread each.
void use_one_thread() {
  at::set_num_threads(1);
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
}

// Slower kernels that give the same sums in every run.
void use_repeatable_cuda() {
  if (!torch::cuda::is_available())
    throw UserError("no CUDA device: LibTorch was built without CUDA, or there is no such device");
  at::globalContext().setBenchmarkCuDNN(false);
  at::globalContext().setDeterministicCuDNN(true);
}

// "AVX512" and the like: which instructions LibTorch's own kernels were chosen for here.
std::string kernels_in_use() {
  const std::string label = "CPU capability usage: ";
  const std::string configuration = at::show_config();
  const auto start = configuration.find(label);
  if (start == std::string::npos) return "unknown instructions";
  return configuration.substr(start + label.size(),
                              configuration.find('\n', start) - start - label.size());
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

  std::string description() const override {
    std::string text = "LibTorch " TORCH_VERSION " (" + kernels_in_use() + ")";
    if (openblas_get_config != nullptr) text += std::string(", ") + openblas_get_config();
    return text;
  }
};

}  // namespace
}  // namespace cosearch::nas

extern "C" cosearch::nas::Trainer* cosearch_create_trainer_1() {
  return new cosearch::nas::TorchTrainer();
}
