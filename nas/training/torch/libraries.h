// LibTorch and the libraries below it: how many threads they use, and which they are.
#pragma once

#include <string>

namespace cosearch::nas {

/// For the calling thread: LibTorch's and OpenMP's settings belong to a thread each.
void use_one_thread();

/// "LibTorch 1.13.0 (AVX512), OpenBLAS 0.3.21 ...".
[[nodiscard]] std::string library_description();

}  // namespace cosearch::nas
