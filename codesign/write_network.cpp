// Writes network files, so that what is read back is the same network.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>
#include <vector>

#include "codesign/network_file.h"
#include "core/user_error.h"
#include "datasets/document.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

// A layer's keys with their values, in the order in which people read them.
class Entry {
 public:
  void add(const std::string& key, const json& value) {
    keys_.push_back(fmt::format("{}: {}", key, value.dump()));
  }
  void add_unless(std::int64_t otherwise, const std::string& key, std::int64_t value) {
    if (value != otherwise) add(key, value);
  }

  // One value along several axes, each ("h", 3): under one key where they agree.
  using Axes = std::vector<std::pair<std::string, std::int64_t>>;
  void add_axes_unless(std::int64_t otherwise, const std::string& key, const Axes& axes) {
    bool agree = true;
    for (const auto& [axis, value] : axes) agree = agree && value == axes.front().second;
    if (agree) return add_unless(otherwise, key, axes.front().second);
    for (const auto& [axis, value] : axes) add_unless(otherwise, key + "_" + axis, value);
  }

  [[nodiscard]] std::string text() const { return fmt::format("{{{}}}", fmt::join(keys_, ", ")); }

 private:
  std::vector<std::string> keys_;
};

bool is_fully_connected(const Layer& layer) {
  return layer == fully_connected(layer.C, layer.K, layer.N);
}

bool is_volume(const Layer& layer) {
  return layer.input_d != 1 || layer.D != 1 || layer.T != 1 || layer.stride_d != 1 ||
         layer.dilation_d != 1 || layer.pad_front != 0;
}

// Beyond what the smallest input gives that reaches it (core's OutputPadding).
std::int64_t output_padding(std::int64_t output, std::int64_t input, std::int64_t stride,
                            std::int64_t pad, std::int64_t dilation, std::int64_t window) {
  return output - ((input - 1) * stride - 2 * pad + dilation * (window - 1) + 1);
}

void add_convolution(Entry& entry, const Layer& layer) {
  const bool has_depth = is_volume(layer);
  const auto axes = [&](std::int64_t d, std::int64_t h, std::int64_t w) {
    Entry::Axes all{{"h", h}, {"w", w}};
    if (has_depth) all.insert(all.begin(), {"d", d});
    return all;
  };
  entry.add("in_channels", layer.C * layer.G);
  entry.add("out_channels", layer.K * layer.G);
  if (has_depth) entry.add("depth", layer.input_d);
  entry.add("height", layer.input_h);
  entry.add("width", layer.input_w);
  entry.add_axes_unless(1, "kernel", axes(layer.T, layer.R, layer.S));
  entry.add_axes_unless(1, "stride", axes(layer.stride_d, layer.stride_h, layer.stride_w));
  entry.add_axes_unless(0, "pad", axes(layer.pad_front, layer.pad_top, layer.pad_left));
  entry.add_axes_unless(1, "dilation", axes(layer.dilation_d, layer.dilation_h, layer.dilation_w));
  if (layer.transposed)
    entry.add_axes_unless(0, "output_pad",
                          axes(output_padding(layer.D, layer.input_d, layer.stride_d,
                                              layer.pad_front, layer.dilation_d, layer.T),
                               output_padding(layer.P, layer.input_h, layer.stride_h, layer.pad_top,
                                              layer.dilation_h, layer.R),
                               output_padding(layer.Q, layer.input_w, layer.stride_w,
                                              layer.pad_left, layer.dilation_w, layer.S)));
  entry.add_unless(1, "groups", layer.G);
  entry.add_unless(1, "batch", layer.N);
}

std::string type_of(const Layer& layer) {
  if (layer.kind != LayerKind::convolution) return std::string(name_of(layer.kind));
  if (layer.transposed) return "transposed_convolution";
  return is_fully_connected(layer) ? "fully_connected" : "convolution";
}

void add_extents(Entry& entry, const Layer& layer) {
  switch (layer.kind) {
    case LayerKind::convolution:
      if (type_of(layer) != "fully_connected") return add_convolution(entry, layer);
      entry.add("in_features", layer.C);
      entry.add("out_features", layer.K);
      return entry.add_unless(1, "batch", layer.N);
    case LayerKind::gemm:
      entry.add("rows", layer.P);
      entry.add("columns", layer.K);
      entry.add("depth", layer.C);
      entry.add_unless(1, "batch", layer.G);
      if (layer.weights_are_activations) entry.add("weights_are_activations", true);
      return;
    case LayerKind::pooling:
      entry.add("channels", layer.G);
      entry.add("height", layer.input_h);
      entry.add("width", layer.input_w);
      entry.add("kernel", layer.R);
      entry.add_unless(1, "stride", layer.stride_h);
      if (layer.pad_bottom != layer.pad_top || layer.pad_right != layer.pad_left)
        return entry.add("round_up", true);
      return entry.add_unless(0, "pad", layer.pad_top);
    case LayerKind::elementwise:
      entry.add("channels", layer.G);
      entry.add("height", layer.P);
      entry.add("width", layer.Q);
      return entry.add_unless(1, "operands", layer.C);
    case LayerKind::softmax:
    case LayerKind::normalisation:
      entry.add("rows", layer.G);
      return entry.add("length", layer.P);
  }
}

NetworkNode as_written(const Network& network, std::size_t index) {
  NetworkNode node = network.nodes()[index];
  if (!flow_into(network, node).is_even()) node.inputs.clear();
  return node;
}

std::string entry_text(const Network& network, std::size_t index) {
  const NetworkNode node = as_written(network, index);
  const Layer usual;
  Entry entry;
  entry.add("type", type_of(node.layer));
  entry.add("name", node.name);
  std::vector<std::size_t> before;
  if (index > 0) before.push_back(index - 1);
  if (node.inputs != before) {
    json names = json::array();
    for (const std::size_t input : node.inputs) names.push_back(network.nodes()[input].name);
    entry.add("inputs", names);
  }
  add_extents(entry, node.layer);
  entry.add_unless(usual.input_bits, "input_bits", node.layer.input_bits);
  entry.add_unless(usual.weight_bits, "weight_bits", node.layer.weight_bits);
  entry.add_unless(usual.output_bits, "output_bits", node.layer.output_bits);
  entry.add_unless(usual.partial_sum_bits, "partial_sum_bits", node.layer.partial_sum_bits);
  entry.add_unless(1, "multiplicity", node.multiplicity);
  entry.add_unless(0, "affine_parameters", node.affine_parameters);
  return entry.text();
}

}  // namespace

std::string write_network(const Network& network) {
  std::string text = fmt::format("kind: network\nschema_version: 1\nname: {}\nlayers:\n",
                                 json(network.name()).dump());
  for (std::size_t i = 0; i < network.nodes().size(); ++i)
    text += fmt::format("  - {}\n", entry_text(network, i));
  const Network again = read_network(datasets::parse_yaml(text, network.name()));
  for (std::size_t i = 0; i < network.nodes().size(); ++i)
    if (const NetworkNode node = as_written(network, i); again.nodes()[i] != node)
      throw UserError(fmt::format("{}: layer '{}' ({}) cannot be said in a network file",
                                  network.name(), node.name, describe(node.layer)));
  return text;
}

}  // namespace cosearch::codesign
