#include "nas/supernet/torch/tensor_map.h"

#include <torch/script.h>

#include <vector>

namespace cosearch::nas {

std::string bytes_of(const TensorMap& tensors) {
  c10::Dict<std::string, torch::Tensor> dictionary;
  for (const auto& [name, tensor] : tensors)
    dictionary.insert(name, tensor.detach().to(torch::kCPU).contiguous());
  const std::vector<char> bytes = torch::pickle_save(dictionary);
  return {bytes.begin(), bytes.end()};
}

TensorMap tensors_in(std::string_view bytes) {
  TensorMap tensors;
  const c10::IValue value = torch::pickle_load({bytes.begin(), bytes.end()});
  for (const auto& item : value.toGenericDict())
    tensors[item.key().toStringRef()] = item.value().toTensor();
  return tensors;
}

}  // namespace cosearch::nas
