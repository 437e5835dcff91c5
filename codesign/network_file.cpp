#include "codesign/network_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "codesign/space_file.h"
#include "core/user_error.h"
#include "nas/named_networks.h"
#include "nas/space.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

// Which keys a type of layer takes beside name, inputs and multiplicity.
struct LayerKeys {
  std::vector<std::string> required, optional;
};

// Of a window, along depth, height and width; those without a letter hold for all axes.
const std::vector<std::string> kWindowKeys{
    "kernel",     "kernel_d",   "kernel_h", "kernel_w", "stride", "stride_d", "stride_h",
    "stride_w",   "pad",        "pad_d",    "pad_h",    "pad_w",  "dilation", "dilation_d",
    "dilation_h", "dilation_w", "depth",    "groups",   "batch"};

std::vector<std::string> joined(std::vector<std::string> first,
                                const std::vector<std::string>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

const std::map<std::string, LayerKeys>& layer_keys() {
  static const LayerKeys attention{{"rows", "context", "head_depth", "heads"},
                                   {"kv_heads", "batch"}};
  static const std::map<std::string, LayerKeys> keys{
      {"convolution", {{"in_channels", "out_channels", "height", "width"}, kWindowKeys}},
      {"convolution_1d",
       {{"in_channels", "out_channels", "length"},
        {"kernel", "stride", "pad", "dilation", "groups", "batch"}}},
      {"transposed_convolution",
       {{"in_channels", "out_channels", "height", "width"},
        joined(kWindowKeys, {"output_pad", "output_pad_d", "output_pad_h", "output_pad_w"})}},
      {"fully_connected", {{"in_features", "out_features"}, {"batch"}}},
      {"gemm", {{"rows", "columns", "depth"}, {"batch", "weights_are_activations"}}},
      {"attention_scores", attention},
      {"attention_values", attention},
      {"pooling", {{"channels", "height", "width", "kernel"}, {"stride", "pad", "round_up"}}},
      {"elementwise", {{"channels", "height", "width"}, {"operands"}}},
      {"softmax", {{"rows", "length"}, {}}},
      {"normalisation", {{"rows", "length"}, {}}},
  };
  return keys;
}

// Keys of every type.
const std::vector<std::string>& common_keys() {
  static const std::vector<std::string> keys{
      "type",       "name",        "inputs",      "multiplicity",    "affine_parameters",
      "input_bits", "weight_bits", "output_bits", "partial_sum_bits"};
  return keys;
}

// One entry of `layers`, with the place errors point to.
class LayerReader {
 public:
  LayerReader(const datasets::Document& document, std::size_t index)
      : document_(document),
        pointer_(fmt::format("/layers/{}", index)),
        entry_(document.value["layers"][index]) {
    check_keys();
  }

  [[nodiscard]] std::string name() const {
    return entry_.value("name", pointer_.substr(std::string("/layers/").size()));
  }

  [[nodiscard]] std::int64_t integer(const char* key, std::int64_t otherwise) const {
    return entry_.value(key, otherwise);
  }

  [[nodiscard]] NetworkNode node(const std::map<std::string, std::size_t>& earlier) const {
    NetworkNode node{.name = name(), .layer = layer(), .inputs = {}};
    node.multiplicity = integer("multiplicity", 1);
    node.affine_parameters = integer("affine_parameters", 0);
    if (!entry_.contains("inputs")) {
      if (!earlier.empty()) node.inputs = {earlier.size() - 1};
      return node;
    }
    for (std::size_t i = 0; i < entry_["inputs"].size(); ++i)
      node.inputs.push_back(input(i, earlier));
    return node;
  }

  [[noreturn]] void fail(const std::string& key, const std::string& message) const {
    throw UserError(document_.location_of(key.empty() ? pointer_ : pointer_ + "/" + key), message);
  }

 private:
  [[nodiscard]] std::size_t input(std::size_t index,
                                  const std::map<std::string, std::size_t>& earlier) const {
    const std::string wanted = entry_["inputs"][index];
    const auto found = earlier.find(wanted);
    if (found != earlier.end()) return found->second;
    std::vector<std::string> names;
    for (const auto& [known, position] : earlier) names.push_back(known);
    fail(fmt::format("inputs/{}", index),
         fmt::format("layer '{}' reads '{}', which is no earlier layer{}", name(), wanted,
                     did_you_mean(wanted, names)));
  }

  void check_keys() const {
    const std::string type = entry_["type"];
    const LayerKeys& keys = layer_keys().at(type);
    for (const std::string& key : keys.required)
      if (!entry_.contains(key))
        fail("", fmt::format("layer '{}' of type {} lacks the key '{}'", name(), type, key));
    for (const auto& [key, value] : entry_.items()) {
      const bool known = std::ranges::count(keys.required, key) > 0 ||
                         std::ranges::count(keys.optional, key) > 0 ||
                         std::ranges::count(common_keys(), key) > 0;
      if (!known)
        fail(key, fmt::format("a layer of type {} has no '{}' (it takes {} and optionally {})",
                              type, key, fmt::join(keys.required, ", "),
                              keys.optional.empty()
                                  ? "nothing"
                                  : fmt::format("{}", fmt::join(keys.optional, ", "))));
    }
  }

  // Depth is an axis only where the layer names it; a plane's window has none along it.
  [[nodiscard]] ConvolutionShape shape() const {
    const auto along = [&](const char* key, const char* axis, std::int64_t otherwise) {
      return integer((key + std::string("_") + axis).c_str(), integer(key, otherwise));
    };
    ConvolutionShape shape{.in_channels = integer("in_channels", 1),
                           .out_channels = integer("out_channels", 1),
                           .height = integer("height", 1),
                           .width = integer("width", 1),
                           .kernel_h = along("kernel", "h", 1),
                           .kernel_w = along("kernel", "w", 1),
                           .pad_h = along("pad", "h", 0),
                           .pad_w = along("pad", "w", 0),
                           .groups = integer("groups", 1),
                           .batch = integer("batch", 1),
                           .stride_h = along("stride", "h", 1),
                           .stride_w = along("stride", "w", 1),
                           .dilation_h = along("dilation", "h", 1),
                           .dilation_w = along("dilation", "w", 1)};
    if (!entry_.contains("depth")) return shape;
    shape.depth = integer("depth", 1);
    shape.kernel_d = along("kernel", "d", 1);
    shape.stride_d = along("stride", "d", 1);
    shape.pad_d = along("pad", "d", 0);
    shape.dilation_d = along("dilation", "d", 1);
    return shape;
  }

  [[nodiscard]] OutputPadding output_padding() const {
    const std::int64_t all = integer("output_pad", 0);
    return {.d = entry_.contains("depth") ? integer("output_pad_d", all) : 0,
            .h = integer("output_pad_h", all),
            .w = integer("output_pad_w", all)};
  }

  // One row: the window has no height either.
  [[nodiscard]] Layer one_dimensional_convolution() const {
    return convolution({.in_channels = integer("in_channels", 1),
                        .out_channels = integer("out_channels", 1),
                        .width = integer("length", 1),
                        .kernel_w = integer("kernel", 1),
                        .pad_w = integer("pad", 0),
                        .groups = integer("groups", 1),
                        .batch = integer("batch", 1),
                        .stride_w = integer("stride", 1),
                        .dilation_w = integer("dilation", 1)});
  }

  [[nodiscard]] AttentionShape attention() const {
    return {.rows = integer("rows", 1),
            .context = integer("context", 1),
            .head_depth = integer("head_depth", 1),
            .heads = integer("heads", 1),
            .kv_heads = integer("kv_heads", integer("heads", 1)),
            .batch = integer("batch", 1)};
  }

  [[nodiscard]] Layer pooled() const {
    const std::int64_t channels = integer("channels", 1), height = integer("height", 1),
                       width = integer("width", 1), kernel = integer("kernel", 1),
                       stride = integer("stride", 1), pad = integer("pad", 0);
    if (!entry_.value("round_up", false))
      return pooling(channels, height, width, kernel, stride, pad);
    if (pad != 0) fail("pad", "a pooling either rounds up or is padded");
    return pooling_rounding_up(channels, height, width, kernel, stride);
  }

  // What would be ignored is refused: without a depth, nothing has an extent along it.
  void check_depth() const {
    if (entry_.contains("depth")) return;
    for (const char* key : {"kernel_d", "stride_d", "pad_d", "dilation_d", "output_pad_d"})
      if (entry_.contains(key))
        fail(key, fmt::format("layer '{}' has a '{}' but no 'depth'", name(), key));
  }

  [[nodiscard]] Layer layer() const try {
    check_depth();
    Layer layer = layer_of_type(entry_["type"]);
    for (const auto& [key, bits] : {std::pair{"input_bits", &layer.input_bits},
                                    {"weight_bits", &layer.weight_bits},
                                    {"output_bits", &layer.output_bits},
                                    {"partial_sum_bits", &layer.partial_sum_bits}})
      *bits = static_cast<std::int32_t>(integer(key, *bits));
    return layer;
  } catch (const UserError& error) {
    if (!error.where().file.empty()) throw;
    fail("", fmt::format("layer '{}': {}", name(), error.what()));
  }

  [[nodiscard]] Layer layer_of_type(const std::string& type) const {
    if (type == "convolution") return convolution(shape());
    if (type == "convolution_1d") return one_dimensional_convolution();
    if (type == "transposed_convolution") return transposed_convolution(shape(), output_padding());
    if (type == "fully_connected")
      return fully_connected(integer("in_features", 1), integer("out_features", 1),
                             integer("batch", 1));
    if (type == "gemm")
      return gemm(integer("rows", 1), integer("columns", 1), integer("depth", 1),
                  integer("batch", 1), entry_.value("weights_are_activations", false));
    if (type == "attention_scores") return attention_scores(attention());
    if (type == "attention_values") return attention_values(attention());
    if (type == "pooling") return pooled();
    if (type == "elementwise")
      return elementwise(integer("channels", 1), integer("height", 1), integer("width", 1),
                         integer("operands", 1));
    const std::int64_t rows = integer("rows", 1), length = integer("length", 1);
    return type == "softmax" ? softmax(rows, length) : normalisation(rows, length);
  }

  const datasets::Document& document_;
  std::string pointer_;
  const json& entry_;
};

void require_flow(const Network& network, const NetworkNode& node, const LayerReader& reader) {
  if (const Flow flow = flow_into(network, node); !node.inputs.empty() && !flow.is_even())
    reader.fail("inputs", fmt::format("layer '{}' reads {} elements, but its inputs deliver {} "
                                      "(give 'inputs: []' where it reads something else)",
                                      node.name, flow.read, flow.delivered));
}

}  // namespace

Flow flow_into(const Network& network, const NetworkNode& node) {
  Flow flow{.read = node.layer.elements(Tensor::input)};
  if (node.layer.weights_are_activations) flow.read += node.layer.elements(Tensor::weights);
  for (const std::size_t input : node.inputs)
    flow.delivered += network.nodes()[input].layer.elements(Tensor::output);
  return flow;
}

Network read_network(const std::filesystem::path& path) {
  return read_network(datasets::read_yaml(path));
}

Network read_network(const datasets::Document& document) {
  datasets::validate(document, kNetworkSchema);
  Network network(document.value["name"].get<std::string>());
  std::map<std::string, std::size_t> positions;
  for (std::size_t i = 0; i < document.value["layers"].size(); ++i) {
    const LayerReader reader(document, i);
    NetworkNode node = reader.node(positions);
    if (!positions.emplace(node.name, i).second)
      reader.fail("name", fmt::format("two layers are called '{}'", node.name));
    require_flow(network, node, reader);
    network.add(std::move(node));
  }
  return network;
}

Network find_network(const std::string& what) {
  if (datasets::names_document(what)) return read_network(std::filesystem::path(what));
  if (const auto [space, genotype] = split_genotype(what); !space.empty())
    return make_space(space_source(space))->lower(genotype);
  return nas::named_network(what);
}

}  // namespace cosearch::codesign
