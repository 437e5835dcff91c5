// A trained supernet in a file, with what it was trained on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "datasets/image_set.h"
#include "nas/space.h"
#include "nas/supernet/supernet.h"

namespace cosearch::codesign {

/// What is trained, but for the seed.
struct SupernetMeasurement {
  std::string space;
  nas::SpaceOptions space_options = {};
  nas::SupernetRecipe recipe = {};
};

/// Everything that a supernet depends on but the processor and the libraries.
[[nodiscard]] nlohmann::json record_of(const SupernetMeasurement& measurement, std::uint64_t seed,
                                       const datasets::ImageData& images);

/// Replaces the file; it stands there whole or not at all. Throws FileError when it cannot be
/// written.
void write_supernet_file(const std::filesystem::path& path, const nlohmann::json& record,
                         std::string_view state);

/// A supernet with the space it is of.
struct OpenSupernet {
  std::string space_name;
  nas::SpaceOptions space_options;
  std::unique_ptr<nas::NetworkSpace> space;
  std::unique_ptr<nas::Supernet> supernet;  ///< refers to the space

  /// Accuracy in percent of `genotype` with inherited weights; safe to ask on several threads.
  [[nodiscard]] double accuracy_of(const std::string& genotype) const {
    return supernet->accuracy_of(genotype);
  }
};

/// Reads the file that `cosearch supernet train` wrote. `images` must be those it was trained on;
/// they are copied. Throws FileError when the file cannot be read, UserError when it is damaged, no
/// supernet, of another version or of other images, or what `load_supernet_trainer` throws.
[[nodiscard]] OpenSupernet open_supernet(const std::filesystem::path& path,
                                         const std::filesystem::path& module_folder,
                                         const datasets::ImageData& images,
                                         const nas::EvaluationOptions& options = {});

}  // namespace cosearch::codesign
