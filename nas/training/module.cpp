#include "nas/training/module.h"

#include <dlfcn.h>

#include <string>

#include "core/user_error.h"

namespace cosearch::nas {

void* module_function(const std::filesystem::path& folder, const char* name) {
  const std::filesystem::path file = folder / kTrainingModuleFile;
  if (!std::filesystem::exists(file)) {
    throw UserError("running networks needs the module " + file.string() +
                    ", which is not there: install LibTorch (Debian package libtorch-dev) and "
                    "build with -DCOSEARCH_TORCH=ON");
  }
  // Never closed: LibTorch leaves threads and registrations behind that would outlive its code.
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    throw UserError("cannot load the training module: " + std::string(dlerror()));
  void* function = dlsym(library, name);
  if (function == nullptr) {
    throw UserError(file.string() + " is no training module of this version: it has no function " +
                    name);
  }
  return function;
}

}  // namespace cosearch::nas
