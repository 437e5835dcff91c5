// Opens a stored study for reading, whatever became of the search that wrote it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "datasets/study_store.h"

namespace cosearch::codesign {

/// The study at `store`. What a search that was cut off left in its journal is first folded into
/// it, as an incomplete study. `notice` is told what happened, and what was damaged. Throws what
/// StudyStore::open throws, and FileError naming the process that still writes the study.
[[nodiscard]] datasets::StudyStore open_study(
    const std::filesystem::path& store, const std::function<void(const std::string&)>& notice = {});

}  // namespace cosearch::codesign
