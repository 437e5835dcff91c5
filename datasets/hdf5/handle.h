// Ownership and errors for the HDF5 C API. Included by the sources of datasets only: no header
// outside datasets/hdf5 shows an hid_t.
#pragma once

#include <hdf5.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "core/user_error.h"

namespace cosearch::datasets::hdf5 {

/// What HDF5 refused to do and why, without the file's name; see `naming`.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws Error: `action` with HDF5's own explanation, the innermost first.
[[noreturn]] void fail(std::string_view action);

inline void check(herr_t status, std::string_view action) {
  if (status < 0) fail(action);
}

/// Keeps HDF5 from printing its errors on this thread; they become the text of Error.
class SilentErrors {
 public:
  SilentErrors();
  SilentErrors(const SilentErrors&) = delete;
  SilentErrors& operator=(const SilentErrors&) = delete;
  ~SilentErrors();

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

/// Runs `action` silently; an Error in it, or sizes that only a damaged file can claim, becomes a
/// FileError that names `path`.
template <class Action>
auto naming(const std::filesystem::path& path, Action&& action) {
  const SilentErrors silent;
  try {
    return action();
  } catch (const Error& error) {
    throw FileError({path.string()}, error.what());
  } catch (const std::bad_alloc&) {
    throw FileError({path.string()}, "is damaged: it claims more than fits in memory");
  } catch (const std::length_error&) {
    throw FileError({path.string()}, "is damaged: it claims more than fits in memory");
  }
}

/// Owns one HDF5 identifier; closes it with the call that fits its kind.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);

  Handle() = default;
  /// Throws Error naming `action` when `id` is invalid.
  Handle(hid_t id, Close close, std::string_view action) : id_(id), close_(close) {
    if (id < 0) fail(action);
  }
  Handle(Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }

  [[nodiscard]] hid_t id() const { return id_; }

  /// Closes now, so that a failure to write the rest is seen. Throws Error.
  void close(std::string_view action) {
    if (id_ >= 0) check(close_(std::exchange(id_, H5I_INVALID_HID)), action);
  }

 private:
  hid_t id_ = H5I_INVALID_HID;
  Close close_ = nullptr;
};

}  // namespace cosearch::datasets::hdf5
