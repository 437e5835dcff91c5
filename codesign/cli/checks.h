// What CLI11 does not check by itself.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "nas/space.h"

namespace cosearch::codesign {

/// For CLI::Option::check: what is wrong with a text that is no whole number in [least, 2^64 - 1],
/// else an empty string.
[[nodiscard]] std::function<std::string(const std::string&)> whole_number(std::uint64_t least);

/// Of a network space, from texts "NAME=VALUE". Throws UserError for a text that is none.
[[nodiscard]] nas::SpaceOptions space_options_in(const std::vector<std::string>& texts);

/// `jobs`, or one for each core where it is 0.
[[nodiscard]] int job_count(int jobs);

/// Throws UserError when `output` is the file `input`, which the command would read and then
/// replace.
void refuse_as_output(const std::filesystem::path& output, const std::filesystem::path& input);

}  // namespace cosearch::codesign
