#include "nas/training/trainer.h"

#include "nas/training/module.h"

namespace cosearch::nas {

bool can_be_fitted(const LabelledImages& images, const FeatureShape& input) {
  return (images.channels == input.channels || images.channels == 1) && images.height >= 1 &&
         images.width >= 1 && images.height * input.width == images.width * input.height;
}

std::unique_ptr<Trainer> load_trainer(const std::filesystem::path& module_folder) {
  const auto create =
      reinterpret_cast<TrainerFactory>(module_function(module_folder, kTrainerFactoryName));
  return std::unique_ptr<Trainer>(create());
}

}  // namespace cosearch::nas
