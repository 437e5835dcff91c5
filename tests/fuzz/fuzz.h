// What the fuzz targets share. A target may refuse its input with a UserError; everything else is a
// bug of ours: another exception, a broken promise, a sanitizer's report, or no answer in time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "core/user_error.h"

namespace cosearch::fuzz {

/// Runs `action`; whether it accepted its input.
template <class Action>
bool accepts(Action&& action) {
  try {
    action();
  } catch (const UserError&) {
    return false;
  }
  return true;
}

/// Stops the fuzzer where `promise` is broken.
inline void check(bool promise, const char* what) {
  if (promise) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace cosearch::fuzz
