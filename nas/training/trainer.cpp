#include "nas/training/trainer.h"

#include "nas/training/module.h"

namespace cosearch::nas {

std::unique_ptr<Trainer> load_trainer(const std::filesystem::path& module_folder) {
  const auto create =
      reinterpret_cast<TrainerFactory>(module_function(module_folder, kTrainerFactoryName));
  return std::unique_ptr<Trainer>(create());
}

}  // namespace cosearch::nas
