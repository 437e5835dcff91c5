// A network is named layers with multiplicities, and edges that say which feeds which.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/layer.h"

namespace cosearch {

struct NetworkNode {
  std::string name;
  Layer layer;
  /// How many times this layer runs, each time with weights of its own.
  std::int64_t multiplicity = 1;
  /// Biases and batch-norm scales and shifts folded into one instance of this layer.
  std::int64_t affine_parameters = 0;
  /// Nodes whose outputs this one reads, all earlier in the network. Empty: the network's input.
  std::vector<std::size_t> inputs = {};

  friend bool operator==(const NetworkNode&, const NetworkNode&) = default;
};

/// A directed acyclic graph of layers in an order in which they can run.
class Network {
 public:
  explicit Network(std::string name = "") : name_(std::move(name)) {}

  /// Appends `node` and returns its index. Throws UserError when an input is not an earlier node
  /// or the layer is not valid (see problems_in).
  std::size_t add(NetworkNode node);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<NetworkNode>& nodes() const { return nodes_; }

  /// Multiply-accumulates of one inference.
  [[nodiscard]] std::int64_t macs() const;
  /// Trained numbers: weights plus biases and batch-norm scales and shifts.
  [[nodiscard]] std::int64_t parameters() const;
  /// Sum over layers of the tensor's size.
  [[nodiscard]] Bytes footprint(Tensor tensor) const;

  /// Each shape once, in order of first appearance, with how often it runs: all that a cost that
  /// adds up over layers needs to know.
  [[nodiscard]] std::vector<std::pair<Layer, std::int64_t>> distinct_layers() const;

 private:
  std::string name_;
  std::vector<NetworkNode> nodes_;
};

}  // namespace cosearch
