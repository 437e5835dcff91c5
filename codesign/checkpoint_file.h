// The state of one training between two epochs, in a file that stands there whole or not at all.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "nas/training/trainer.h"

namespace cosearch::codesign {

class CheckpointFile : public nas::CheckpointStore {
 public:
  explicit CheckpointFile(std::filesystem::path path) : path_(std::move(path)) {}

  /// Throws UserError when the file is there and damaged.
  [[nodiscard]] std::optional<std::string> load() override;
  /// On the disk when it returns. Throws FileError when it cannot be written.
  void save(std::string_view bytes) override;
  void remove() const;

 private:
  std::filesystem::path path_;
};

}  // namespace cosearch::codesign
