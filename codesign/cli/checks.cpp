#include "codesign/cli/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <thread>

#include "core/user_error.h"

namespace cosearch::codesign {

std::function<std::string(const std::string&)> whole_number(std::uint64_t least) {
  return [least](const std::string& text) -> std::string {
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && rest == end && value >= least) return "";
    return fmt::format("'{}' is no whole number from {} to {}", text, least,
                       std::numeric_limits<std::uint64_t>::max());
  };
}

nas::SpaceOptions space_options_in(const std::vector<std::string>& texts) {
  nas::SpaceOptions options;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] =
        equals == std::string::npos
            ? std::from_chars_result{text.data(), std::errc::invalid_argument}
            : std::from_chars(text.data() + equals + 1, end, value);
    if (error != std::errc() || rest != end || equals == 0)
      throw UserError("--option " + text + ": expected NAME=WHOLE NUMBER");
    options[text.substr(0, equals)] = value;
  }
  return options;
}

int job_count(int jobs) {
  if (jobs > 0) return jobs;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void refuse_as_output(const std::filesystem::path& output, const std::filesystem::path& input) {
  std::error_code missing;
  if (std::filesystem::equivalent(output, input, missing))
    throw UserError({output.string()}, "is read by this command; write to another file");
}

}  // namespace cosearch::codesign
