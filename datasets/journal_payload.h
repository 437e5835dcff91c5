// What the frames of a journal hold, to bytes and back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "datasets/journal.h"

namespace cosearch::datasets {

void append_start(std::string& payload, const StudyStart& start);
void append_batch(std::string& payload, const JournalBatch& batch);

// Throw ByteReader::Malformed for bytes that the functions above cannot have written: columns of
// different lengths, ids that do not increase, rows that are not in the start's lists.
// `version`: of the frame.
[[nodiscard]] StudyStart parse_start(std::string_view payload, std::uint32_t version);
[[nodiscard]] JournalBatch parse_batch(std::string_view payload, const StudyStart& start,
                                       std::uint32_t version);

}  // namespace cosearch::datasets
