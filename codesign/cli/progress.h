// What a person sees while a search runs: what is done and left, the rate, and how good it is, on
// standard error.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "codesign/cli/console.h"

namespace cosearch::codesign {

/// On a terminal one line is overwritten ten times a second at most; elsewhere a plain line every
/// ten seconds; nothing when quiet.
class Progress {
 public:
  explicit Progress(const Console& console);
  ~Progress();

  /// `line` is asked only when one is due.
  void show(const std::function<std::string()>& line);
  /// Evaluations. `total` 0: not known. `what` is asked only when a line is due.
  void update(std::uint64_t done, std::uint64_t total, const std::function<std::string()>& what);
  [[nodiscard]] double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;

  const Console& console_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
  bool line_is_open_ = false;
};

}  // namespace cosearch::codesign
