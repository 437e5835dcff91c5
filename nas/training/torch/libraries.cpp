#include "nas/training/torch/libraries.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

// OpenBLAS keeps threads of its own, which LibTorch does not know of. Null with another BLAS.
extern "C" void openblas_set_num_threads(int threads) __attribute__((weak));
extern "C" char* openblas_get_config() __attribute__((weak));

namespace cosearch::nas {
namespace {

// "AVX512" and the like: which instructions LibTorch's own kernels were chosen for here.
std::string kernels_in_use() {
  const std::string label = "CPU capability usage: ";
  const std::string configuration = at::show_config();
  const auto start = configuration.find(label);
  if (start == std::string::npos) return "unknown instructions";
  return configuration.substr(start + label.size(),
                              configuration.find('\n', start) - start - label.size());
}

}  // namespace

void use_one_thread() {
  at::set_num_threads(1);
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
}

std::string library_description() {
  std::string text = "LibTorch " TORCH_VERSION " (" + kernels_in_use() + ")";
  if (openblas_get_config != nullptr) text += std::string(", ") + openblas_get_config();
  return text;
}

}  // namespace cosearch::nas
