#include "datasets/hdf5/handle.h"

namespace cosearch::datasets::hdf5 {
namespace {

// Collects the descriptions of the error stack. Upward: the cause comes first, then who saw it.
herr_t append_description(unsigned, const H5E_error2_t* error, void* text) {
  constexpr std::size_t kEnough = 3;
  auto& descriptions = *static_cast<std::pair<std::string, std::size_t>*>(text);
  if (error->desc != nullptr && descriptions.second < kEnough) {
    if (descriptions.second++ > 0) descriptions.first += "; ";
    descriptions.first += error->desc;
  }
  return 0;
}

}  // namespace

void fail(std::string_view action) {
  std::pair<std::string, std::size_t> descriptions;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, append_description, &descriptions);
  H5Eclear2(H5E_DEFAULT);
  std::string message = "cannot " + std::string(action);
  if (!descriptions.first.empty()) message += ": " + descriptions.first;
  throw Error(message);
}

SilentErrors::SilentErrors() {
  // HDF5 1.10 leaks internally when it refuses some damaged files, and then prints "infinite loop
  // closing library" at exit. Every handle of ours is closed by its owner; nothing is left to do.
  static const herr_t without_exit_handler = H5dont_atexit();
  static_cast<void>(without_exit_handler);
  H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

SilentErrors::~SilentErrors() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }

}  // namespace cosearch::datasets::hdf5
