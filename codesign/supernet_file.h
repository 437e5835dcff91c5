// A supernet in a file, with what it was trained on; and the state of a differentiable search.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "codesign/space_file.h"
#include "datasets/image_set.h"
#include "nas/space.h"
#include "nas/supernet/supernet.h"

namespace cosearch::codesign {

/// What is trained, but for the seed.
struct SupernetMeasurement {
  SpaceSource space;
  nas::SpaceOptions space_options = {};
  nas::SupernetRecipe recipe = {};
};

/// Everything that a supernet depends on but the processor and the libraries; of a space in a file
/// the text, from which `open_supernet` makes it again.
[[nodiscard]] nlohmann::json record_of(const SupernetMeasurement& measurement, std::uint64_t seed,
                                       const datasets::ImageData& images);

/// Bytes of the training module behind a record of what they are of, in a file that stands there
/// whole or not at all.
class RecordedState : public nas::CheckpointStore {
 public:
  /// `kind`, a word, tells files of different purposes apart.
  RecordedState(std::filesystem::path path, std::string kind, nlohmann::json record)
      : path_(std::move(path)), kind_(std::move(kind)), record_(std::move(record)) {}

  /// Nothing where there is no file. Throws UserError when the file is damaged, of another kind or
  /// version, or has another record, naming what differs.
  [[nodiscard]] std::optional<std::string> load() override;
  /// On the disk when it returns. Throws FileError when it cannot be written.
  void save(std::string_view bytes) override;
  void remove() const;

  struct Content {
    nlohmann::json record;
    std::string bytes;
  };
  /// Of any record. Throws FileError when the file cannot be read, UserError as `load`.
  [[nodiscard]] static Content read(const std::filesystem::path& path, const std::string& kind);

 private:
  std::filesystem::path path_;
  std::string kind_;
  nlohmann::json record_;
};

inline constexpr const char* kSupernetKind = "supernet";
inline constexpr const char* kSearchKind = "search";

/// A supernet with the space it is of.
struct OpenSupernet {
  nlohmann::json record;  ///< as `record_of` gave it, without the text of the space
  SpaceSource source;
  nas::SpaceOptions space_options;
  std::unique_ptr<nas::NetworkSpace> space;
  std::unique_ptr<nas::Supernet> supernet;  ///< refers to the space

  /// Accuracy in percent of `genotype` with inherited weights; safe to ask on several threads.
  [[nodiscard]] double accuracy_of(const std::string& genotype) const {
    return supernet->accuracy_of(genotype);
  }
};

/// Reads the file that `cosearch supernet train` wrote. `images` must be those it was trained on;
/// they are copied. Of `options` a zero stands for the default, or all images where they are fewer.
/// Throws FileError when the file cannot be read, UserError when it is damaged, no supernet, of
/// another version or of other images, or what `load_supernet_trainer` throws.
[[nodiscard]] OpenSupernet open_supernet(const std::filesystem::path& path,
                                         const std::filesystem::path& module_folder,
                                         const datasets::ImageData& images,
                                         nas::EvaluationOptions options = {0, 0});

}  // namespace cosearch::codesign
