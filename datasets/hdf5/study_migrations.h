// How study files of older schemas become files of the newest, which is all that the readers know.
#pragma once

#include <cstdint>
#include <filesystem>

#include "datasets/hdf5/handle.h"

namespace cosearch::datasets::hdf5 {

/// What a file that carries a study is written in. 0 stands for the first files, which say 1 as
/// those after them do, but hold texts of variable length.
/// Throws UserError when `file`, called `path`, is no study or a newer one than we know.
[[nodiscard]] std::uint32_t schema_of(const Handle& file, const std::filesystem::path& path);

/// `path` opened for reading, in the newest schema. A file of an older one is migrated in memory,
/// which takes as much as the file, and stays on the disk as it is.
/// Throws what schema_of throws, and Error for a damaged file.
[[nodiscard]] Handle open_newest(const std::filesystem::path& path);

}  // namespace cosearch::datasets::hdf5
