// Tensors by name, and as bytes.
#pragma once

#include <torch/torch.h>

#include <map>
#include <string>
#include <string_view>

namespace cosearch::nas {

/// Ordered, so that the same tensors make the same bytes.
using TensorMap = std::map<std::string, torch::Tensor>;

[[nodiscard]] std::string bytes_of(const TensorMap& tensors);

/// The inverse. Throws c10::Error for bytes that are none of these.
[[nodiscard]] TensorMap tensors_in(std::string_view bytes);

}  // namespace cosearch::nas
