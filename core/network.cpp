#include "core/network.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "core/user_error.h"

namespace cosearch {

std::size_t Network::add(NetworkNode node) {
  for (const std::size_t input : node.inputs)
    if (input >= nodes_.size())
      throw UserError(name_ + ": layer '" + node.name + "' reads node " + std::to_string(input) +
                      ", which does not come before it");
  if (node.multiplicity < 1)
    throw UserError(name_ + ": layer '" + node.name + "': multiplicity must be at least 1");
  if (const auto problems = problems_in(node.layer); !problems.empty())
    throw UserError(name_ + ": layer '" + node.name + "': " + problems.front());
  if (const auto words = std::max({node.layer.macs(), node.layer.elements(Tensor::input),
                                   node.layer.elements(Tensor::output), node.affine_parameters});
      static_cast<double>(node.multiplicity) * static_cast<double>(words) > kMostWork)
    throw UserError(name_ + ": layer '" + node.name + "': multiplicity " +
                    std::to_string(node.multiplicity) + " is too large: all its " +
                    "multiply-accumulates and words may be 10^15 at most");
  nodes_.push_back(std::move(node));
  return nodes_.size() - 1;
}

std::int64_t Network::macs() const {
  std::int64_t total = 0;
  for (const NetworkNode& node : nodes_) total += node.multiplicity * node.layer.macs();
  return total;
}

std::int64_t Network::parameters() const {
  std::int64_t total = 0;
  for (const NetworkNode& node : nodes_)
    total += node.multiplicity * (node.layer.parameters() + node.affine_parameters);
  return total;
}

Bytes Network::footprint(Tensor tensor) const {
  Bytes total;
  for (const NetworkNode& node : nodes_) total += node.multiplicity * node.layer.footprint(tensor);
  return total;
}

std::vector<std::pair<Layer, std::int64_t>> Network::distinct_layers() const {
  std::vector<std::pair<Layer, std::int64_t>> layers;
  std::unordered_map<Layer, std::size_t, LayerHash> position;
  for (const NetworkNode& node : nodes_) {
    const auto [found, is_new] = position.try_emplace(node.layer, layers.size());
    if (is_new) layers.emplace_back(node.layer, 0);
    layers[found->second].second += node.multiplicity;
  }
  return layers;
}

}  // namespace cosearch
