#include "predictors/neural/loader.h"

#include <dlfcn.h>

#include "core/user_error.h"
#include "predictors/neural/module.h"

namespace cosearch::predictors {

std::unique_ptr<Predictor> load_neural_predictor(const std::string& model, Loss loss,
                                                 const std::filesystem::path& module_folder) {
  const std::filesystem::path file = module_folder / kNeuralModuleFile;
  if (!std::filesystem::exists(file))
    throw UserError("predictor '" + model + "' needs the module " + file.string() +
                    ", which is not there: install LibTorch (Debian package libtorch-dev) and "
                    "build with -DCOSEARCH_TORCH=ON");
  // Never closed: LibTorch leaves threads and registrations behind that would outlive its code.
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    throw UserError("cannot load the module of neural predictors: " + std::string(dlerror()));
  const auto create = reinterpret_cast<NeuralFactory>(dlsym(library, kNeuralFactoryName));
  Predictor* predictor =
      create == nullptr ? nullptr : create(model.c_str(), loss == Loss::pairwise);
  if (predictor == nullptr)
    throw UserError(file.string() + " is no module of this version: it cannot make '" + model +
                    "'");
  return std::unique_ptr<Predictor>(predictor);
}

}  // namespace cosearch::predictors
