// What the frames of a journal hold, to bytes and back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "datasets/journal.h"

namespace cosearch::datasets {

/// Version of the frames that are written now.
inline constexpr std::uint32_t kJournalVersion = 2;

void append_start(std::string& payload, const StudyStart& start);
void append_batch(std::string& payload, const JournalBatch& batch);

// Throw ByteReader::Malformed for bytes that the functions above cannot have written: columns of
// different lengths, ids that do not increase, rows that are not in the start's lists.
/// `version`: the frame's, at most kJournalVersion. What an older one lacks is left at its default.
[[nodiscard]] StudyStart parse_start(std::string_view payload,
                                     std::uint32_t version = kJournalVersion);
[[nodiscard]] JournalBatch parse_batch(std::string_view payload, const StudyStart& start);

}  // namespace cosearch::datasets
