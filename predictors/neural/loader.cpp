#include "predictors/neural/loader.h"

#include <dlfcn.h>

#include "core/user_error.h"
#include "predictors/neural/module.h"

namespace cosearch::predictors {
namespace {

/// The function `name` of the module; null where it has none. Throws UserError when `model`, which
/// needs it, cannot be had.
template <class Function>
Function function_of(const std::filesystem::path& module, const char* name,
                     const std::string& model) {
  if (!std::filesystem::exists(module))
    throw UserError("predictor '" + model + "' needs the module " + module.string() +
                    ", which is not there: install LibTorch (Debian package libtorch-dev) and "
                    "build with -DCOSEARCH_TORCH=ON");
  // Never closed: LibTorch leaves threads and registrations behind that would outlive its code.
  void* library = dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    throw UserError("cannot load the module of neural predictors: " + std::string(dlerror()));
  return reinterpret_cast<Function>(dlsym(library, name));
}

UserError other_version(const std::filesystem::path& module, const std::string& model) {
  return UserError(module.string() + " is no module of this version: it cannot make '" + model +
                   "'");
}

}  // namespace

std::unique_ptr<Predictor> load_neural_predictor(const std::string& model, Loss loss,
                                                 const std::filesystem::path& module_folder) {
  const std::filesystem::path module = module_folder / kNeuralModuleFile;
  const auto create = function_of<NeuralFactory>(module, kNeuralFactoryName, model);
  std::unique_ptr<Predictor> predictor(
      create == nullptr ? nullptr : create(model.c_str(), loss == Loss::pairwise));
  if (predictor == nullptr) throw other_version(module, model);
  return predictor;
}

std::unique_ptr<Recommender> load_neural_recommender(const std::string& model,
                                                     const std::filesystem::path& module_folder) {
  const std::filesystem::path module = module_folder / kNeuralModuleFile;
  const auto create = function_of<RecommenderFactory>(module, kRecommenderFactoryName, model);
  std::unique_ptr<Recommender> recommender(create == nullptr ? nullptr : create(model.c_str()));
  if (recommender == nullptr) throw other_version(module, model);
  return recommender;
}

}  // namespace cosearch::predictors
