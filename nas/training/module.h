// What the loaders and the module that needs LibTorch agree on: a file name and the functions in
// it.
#pragma once

#include <filesystem>

namespace cosearch::nas {

class Scorer;
class SupernetTrainer;
class Trainer;

inline constexpr const char* kTrainingModuleFile = "libcosearch_training.so";
inline constexpr const char* kTrainerFactoryName = "cosearch_create_trainer_1";

/// Returns a new Trainer that the caller deletes.
using TrainerFactory = Trainer* (*)();

inline constexpr const char* kScorerFactoryName = "cosearch_create_scorer_1";

/// Returns a new Scorer that the caller deletes.
using ScorerFactory = Scorer* (*)();

inline constexpr const char* kSupernetTrainerFactoryName = "cosearch_create_supernet_trainer_1";

/// Returns a new SupernetTrainer that the caller deletes.
using SupernetTrainerFactory = SupernetTrainer* (*)();

/// The function called `name` of the module in `folder`, which stays loaded. Throws UserError
/// saying what to install or build when the module is not there, and why when it does not load.
[[nodiscard]] void* module_function(const std::filesystem::path& folder, const char* name);

}  // namespace cosearch::nas
