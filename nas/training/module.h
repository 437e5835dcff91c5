// What the loader and the training module agree on: a file name and one function in it.
#pragma once

namespace cosearch::nas {

class Trainer;

inline constexpr const char* kTrainingModuleFile = "libcosearch_training.so";
inline constexpr const char* kTrainerFactoryName = "cosearch_create_trainer_1";

/// Returns a new Trainer that the caller deletes.
using TrainerFactory = Trainer* (*)();

}  // namespace cosearch::nas
