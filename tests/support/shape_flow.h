// Whether the tensors of a network fit together: what each layer reads is what the layers it reads
// from have written. Catches a wrong extent, a forgotten concatenation and a wrong edge alike.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "core/network.h"

namespace cosearch::test {

/// A layer that reads a different number of elements than the layers before it deliver.
struct FlowMismatch {
  std::string layer;
  std::int64_t reads, delivered;

  friend bool operator==(const FlowMismatch&, const FlowMismatch&) = default;
  friend std::ostream& operator<<(std::ostream& out, const FlowMismatch& mismatch) {
    return out << mismatch.layer << " reads " << mismatch.reads << " of " << mismatch.delivered;
  }
};

/// Elements `layer` reads from other layers: its input, and its weights where they are activations.
inline std::int64_t elements_read(const Layer& layer) {
  return layer.elements(Tensor::input) +
         (layer.weights_are_activations ? layer.elements(Tensor::weights) : 0);
}

/// True when the layers before an element-wise `layer` deliver whole operands of its shape, plus
/// perhaps one factor per channel (squeeze-and-excitation), which on a map of one pixel looks like
/// an operand. One tensor may serve as two operands.
inline bool whole_operands(const Layer& layer, const std::vector<std::int64_t>& deliveries) {
  const std::int64_t operand = layer.elements(Tensor::output);
  std::int64_t delivered = 0;
  for (const std::int64_t delivery : deliveries)
    if (delivery == operand || delivery != layer.G) delivered += delivery;
  const std::int64_t operands = layer.C + (operand == layer.G ? 1 : 0);
  return delivered >= operand && delivered <= operands * operand && delivered % operand == 0;
}

/// Layers that read from other layers, but not exactly what those deliver, in network order.
/// Layers that read the network's input are not checked: nothing says how large it is.
inline std::vector<FlowMismatch> flow_mismatches(const Network& network) {
  std::vector<FlowMismatch> mismatches;
  for (const NetworkNode& node : network.nodes()) {
    if (node.inputs.empty()) continue;
    std::vector<std::int64_t> deliveries;
    std::int64_t delivered = 0;
    for (const std::size_t input : node.inputs) {
      deliveries.push_back(network.nodes()[input].layer.elements(Tensor::output));
      delivered += deliveries.back();
    }
    const bool fits = node.layer.kind == LayerKind::elementwise
                          ? whole_operands(node.layer, deliveries)
                          : delivered == elements_read(node.layer);
    if (!fits) mismatches.push_back({node.name, elements_read(node.layer), delivered});
  }
  return mismatches;
}

/// Names of the layers that no other layer reads. When there is one, every layer leads to it.
inline std::vector<std::string> outputs_of(const Network& network) {
  std::vector<bool> is_read(network.nodes().size(), false);
  for (const NetworkNode& node : network.nodes())
    for (const std::size_t input : node.inputs) is_read[input] = true;
  std::vector<std::string> outputs;
  for (std::size_t i = 0; i < is_read.size(); ++i)
    if (!is_read[i]) outputs.push_back(network.nodes()[i].name);
  return outputs;
}

}  // namespace cosearch::test
