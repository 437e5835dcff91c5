#include "nas/darts.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <utility>

#include "core/user_error.h"
#include "nas/blocks.h"
#include "nas/choice_space.h"
#include "nas/genotype_reader.h"

namespace cosearch::nas {
namespace {

constexpr const char* kName = "darts";
constexpr std::size_t kNodes = 4;
constexpr std::size_t kInputs = 2;  // the outputs of the two cells before
constexpr std::int64_t kStemMultiplier = 3;
constexpr std::int64_t kAuxiliaryChannels = 128, kAuxiliaryFeatures = 768;

enum Operation : std::uint8_t {
  max_pool_3x3,
  avg_pool_3x3,
  skip_connect,
  sep_conv_3x3,
  sep_conv_5x5,
  dil_conv_3x3,
  dil_conv_5x5
};
const std::vector<std::string> kOperations{"max_pool_3x3", "avg_pool_3x3", "skip_connect",
                                           "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3",
                                           "dil_conv_5x5"};

struct Edge {
  std::uint32_t input, operation;
  friend auto operator<=>(const Edge&, const Edge&) = default;
};
using Cell = std::array<std::array<Edge, 2>, kNodes>;

// A node's choices: the operation of its first edge, that of its second, and the ordered pair of
// its distinct inputs.
constexpr std::size_t kChoicesPerNode = 3, kChoicesPerCell = kChoicesPerNode * kNodes;

std::uint32_t inputs_of_node(std::size_t node) {
  return static_cast<std::uint32_t>(node + kInputs);
}

/// Pair number `pair` of distinct inputs out of `inputs`, in lexicographic order.
std::pair<std::uint32_t, std::uint32_t> pair_at(std::uint32_t pair, std::uint32_t inputs) {
  const std::uint32_t first = pair / (inputs - 1);
  const std::uint32_t second = pair % (inputs - 1);
  return {first, second < first ? second : second + 1};
}

std::uint32_t pair_of(std::uint32_t first, std::uint32_t second, std::uint32_t inputs) {
  return first * (inputs - 1) + (second < first ? second : second - 1);
}

std::vector<std::uint32_t> alternatives() {
  std::vector<std::uint32_t> counts;
  for (int cell = 0; cell < 2; ++cell)
    for (std::size_t node = 0; node < kNodes; ++node) {
      const auto operations = static_cast<std::uint32_t>(kOperations.size());
      const std::uint32_t inputs = inputs_of_node(node);
      counts.insert(counts.end(), {operations, operations, inputs * (inputs - 1)});
    }
  return counts;
}

Cell cell_of(const Choices& choices, std::size_t which) {
  Cell cell{};
  for (std::size_t node = 0; node < kNodes; ++node) {
    const std::size_t at = which * kChoicesPerCell + node * kChoicesPerNode;
    const auto [first, second] = pair_at(choices[at + 2], inputs_of_node(node));
    cell[node] = {Edge{first, choices[at]}, Edge{second, choices[at + 1]}};
  }
  return cell;
}

std::string spelled(const Cell& cell) {
  std::string text;
  for (const auto& node : cell)
    for (const Edge& edge : node)
      text += (text.empty() ? "" : "|") + kOperations[edge.operation] + "~" +
              std::to_string(edge.input);
  return text;
}

/// `cell` with node i moved to place[i] and each node's edges in order; nothing when a node would
/// then read a later one.
std::optional<Cell> relabelled(const Cell& cell, const std::array<std::uint32_t, kNodes>& place) {
  Cell moved{};
  for (std::size_t node = 0; node < kNodes; ++node) {
    auto edges = cell[node];
    for (Edge& edge : edges) {
      if (edge.input >= kInputs)
        edge.input = static_cast<std::uint32_t>(kInputs) + place[edge.input - kInputs];
      if (edge.input >= inputs_of_node(place[node])) return std::nullopt;
    }
    std::sort(edges.begin(), edges.end());
    moved[place[node]] = edges;
  }
  return moved;
}

/// The least of all spellings: the nodes are concatenated, so their order only permutes channels.
Cell least_spelling(const Cell& cell) {
  std::array<std::uint32_t, kNodes> place{};
  std::iota(place.begin(), place.end(), 0U);
  Cell least = *relabelled(cell, place);
  while (std::next_permutation(place.begin(), place.end()))
    if (const auto moved = relabelled(cell, place); moved && *moved < least) least = *moved;
  return least;
}

/// ReLU, depthwise, pointwise, batch norm: the batch norm comes after the pointwise only.
Feature append_depthwise_separable(NetworkBuilder& builder, const std::string& name,
                                   const Feature& from, std::int64_t kernel, std::int64_t stride,
                                   std::int64_t dilation) {
  const Feature depthwise = builder.convolution(name + ".depthwise", from,
                                                {.out_channels = from.channels,
                                                 .kernel = kernel,
                                                 .stride = stride,
                                                 .dilation = dilation,
                                                 .groups = from.channels,
                                                 .preactivation = Activation::relu,
                                                 .affine = Affine::none});
  return builder.convolution(name + ".pointwise", depthwise, {.out_channels = from.channels});
}

/// Halves the extent by two 1x1 convolutions of stride 2, the second on the map without its first
/// row and column.
Feature append_factorised_reduction(NetworkBuilder& builder, const std::string& name,
                                    const Feature& from, std::int64_t channels) {
  const ConvolutionOptions half{
      .out_channels = channels / 2, .stride = 2, .preactivation = Activation::relu};
  return builder.concatenate({builder.convolution(name + ".even", from, half),
                              builder.convolution(name + ".odd", builder.crop(from, 1, 1), half)});
}

Feature append_operation(NetworkBuilder& builder, const std::string& name, const Feature& from,
                         std::uint32_t operation, std::int64_t stride) {
  switch (operation) {
    case max_pool_3x3:
      return builder.pool(name + ".pool", from, Pooling::maximum, 3, stride, 1);
    case avg_pool_3x3:
      return builder.pool(name + ".pool", from, Pooling::average, 3, stride, 1);
    case skip_connect:
      return stride == 1 ? from : append_factorised_reduction(builder, name, from, from.channels);
    case sep_conv_3x3:
    case sep_conv_5x5: {
      const std::int64_t kernel = operation == sep_conv_3x3 ? 3 : 5;
      const Feature first =
          append_depthwise_separable(builder, name + ".first", from, kernel, stride, 1);
      return append_depthwise_separable(builder, name + ".second", first, kernel, 1, 1);
    }
    default:
      return append_depthwise_separable(builder, name, from, operation == dil_conv_3x3 ? 3 : 5,
                                        stride, 2);
  }
}

struct CellShape {
  std::int64_t channels;
  bool reduces, after_reduction;
};

Feature append_cell(NetworkBuilder& builder, const std::string& name, const Feature& before_last,
                    const Feature& last, const Cell& cell, const CellShape& shape) {
  const ConvolutionOptions to_width{.out_channels = shape.channels,
                                    .preactivation = Activation::relu};
  std::vector<Feature> states;
  states.push_back(
      shape.after_reduction
          ? append_factorised_reduction(builder, name + ".input0", before_last, shape.channels)
          : builder.convolution(name + ".input0", before_last, to_width));
  states.push_back(builder.convolution(name + ".input1", last, to_width));
  for (std::size_t node = 0; node < kNodes; ++node) {
    const std::string node_name = name + ".node" + std::to_string(node + kInputs);
    std::vector<Feature> terms;
    for (const Edge& edge : cell[node])
      terms.push_back(append_operation(builder, node_name + "." + std::to_string(edge.input),
                                       states[edge.input], edge.operation,
                                       shape.reduces && edge.input < kInputs ? 2 : 1));
    states.push_back(builder.add(node_name + ".sum", terms));
  }
  return builder.concatenate({states.begin() + kInputs, states.end()});
}

/// The second classifier that helps training; its output is not the network's.
/// Assumes: its pooling leaves 2x2 (5x5 windows at stride 3 on the 8x8 map of a 32x32 input).
void append_auxiliary_head(NetworkBuilder& builder, const Feature& from, std::int64_t classes) {
  const std::int64_t window = from.height / 2 + 1;
  Feature feature = builder.pool("auxiliary.pool", builder.activate(from, Activation::relu),
                                 Pooling::average, window, from.height - window);
  feature =
      builder.convolution("auxiliary.conv1", feature,
                          {.out_channels = kAuxiliaryChannels, .activation = Activation::relu});
  feature = builder.convolution("auxiliary.conv2", feature,
                                {.out_channels = kAuxiliaryFeatures,
                                 .kernel = 2,
                                 .padding = std::int64_t{0},
                                 .activation = Activation::relu});
  builder.fully_connected("auxiliary.classifier", feature, classes);
}

class Darts : public ChoiceSpace {
 public:
  explicit Darts(const SpaceOptions& options)
      : ChoiceSpace(kName, alternatives()),
        image_(options.at("image")),
        channels_(options.at("channels")),
        layers_(options.at("layers")),
        classes_(options.at("classes")),
        auxiliary_head_(options.at("auxiliary_head") != 0) {
    if (image_ % 4 != 0)
      throw UserError(std::string(kName) + ": option image = " + std::to_string(image_) +
                      ": must be a multiple of 4, halved twice");
    if (channels_ % 2 != 0)
      throw UserError(std::string(kName) + ": option channels = " + std::to_string(channels_) +
                      ": must be even, halved in factorised reductions");
  }

  [[nodiscard]] std::string canonical(const std::string& genotype) const override {
    const Choices choices = parse(genotype);
    return spelled(least_spelling(cell_of(choices, 0))) + ";" +
           spelled(least_spelling(cell_of(choices, 1)));
  }

  [[nodiscard]] Blueprint blueprint(const std::string& genotype) const override {
    const Choices choices = parse(genotype);
    const Cell normal = cell_of(choices, 0), reduce = cell_of(choices, 1);
    NetworkBuilder builder(name() + " " + genotype, 3, image_, image_);
    Feature last = builder.convolution("stem", builder.input(),
                                       {.out_channels = kStemMultiplier * channels_, .kernel = 3});
    Feature before_last = last;
    CellShape shape{.channels = channels_, .reduces = false, .after_reduction = false};
    for (std::int64_t layer = 0; layer < layers_; ++layer) {
      shape.after_reduction = shape.reduces;
      shape.reduces = layer == layers_ / 3 || layer == 2 * layers_ / 3;
      if (shape.reduces) shape.channels *= 2;
      Feature next = append_cell(builder, "cell" + std::to_string(layer), before_last, last,
                                 shape.reduces ? reduce : normal, shape);
      before_last = std::exchange(last, std::move(next));
      if (auxiliary_head_ && layer == 2 * layers_ / 3)
        append_auxiliary_head(builder, last, classes_);
    }
    builder.fully_connected("classifier", builder.global_pool("pool", last), classes_);
    return std::move(builder).blueprint();
  }

 protected:
  [[nodiscard]] std::string spell(const Choices& choices) const override {
    return spelled(cell_of(choices, 0)) + ";" + spelled(cell_of(choices, 1));
  }

  [[nodiscard]] Choices parse(const std::string& genotype) const override {
    GenotypeReader reader(kName, genotype);
    Choices choices;
    for (int cell = 0; cell < 2; ++cell) {
      if (cell == 1) reader.expect(";");
      for (std::size_t node = 0; node < kNodes; ++node) {
        if (node > 0) reader.expect("|");
        parse_node(reader, inputs_of_node(node), choices);
      }
    }
    reader.expect_end();
    return choices;
  }

  /// One edge of a node reads another input, or the two swap theirs.
  [[nodiscard]] bool adjacent(std::size_t position, std::uint32_t from,
                              std::uint32_t to) const override {
    if (position % kChoicesPerNode != 2) return true;
    const std::uint32_t inputs = inputs_of_node(position % kChoicesPerCell / kChoicesPerNode);
    const auto [a, b] = pair_at(from, inputs);
    const auto [c, d] = pair_at(to, inputs);
    return a == c || b == d || (a == d && b == c);
  }

 private:
  static void parse_node(GenotypeReader& reader, std::uint32_t inputs, Choices& choices) {
    std::vector<std::int64_t> allowed(inputs);
    std::iota(allowed.begin(), allowed.end(), 0);
    const auto read_edge = [&](const std::string& what) {
      choices.push_back(static_cast<std::uint32_t>(reader.word(kOperations)));
      reader.expect("~");
      return static_cast<std::uint32_t>(allowed[reader.number(what, allowed)]);
    };
    const std::uint32_t first = read_edge("an input of this node");
    reader.expect("|");
    allowed.erase(allowed.begin() + first);
    const std::uint32_t second = read_edge("an input of this node other than its first");
    choices.push_back(pair_of(first, second, inputs));
  }

  std::int64_t image_, channels_, layers_, classes_;
  bool auxiliary_head_;
};

}  // namespace

const std::vector<std::string>& darts_operations() { return kOperations; }

std::vector<DartsEdge> darts_edges(const Choices& choices) {
  std::vector<DartsEdge> edges;
  for (std::size_t which = 0; which < 2; ++which) {
    const Cell cell = cell_of(choices, which);
    for (std::size_t node = 0; node < kNodes; ++node)
      for (const Edge& edge : cell[node])
        edges.push_back({which, node, edge.input, edge.operation});
  }
  return edges;
}

std::vector<SpaceOption> darts_options() {
  return {{"image", 32, 16, 1024, "height and width of the input, a multiple of 4"},
          {"channels", 36, 2, 1024, "channels of the first cells, even"},
          {"layers", 20, 3, 100, "cells, the ones at a third and two thirds reducing"},
          {"classes", 10, 1, 100000, "outputs of the classifier"},
          {"auxiliary_head", 0, 0, 1, "1: with the second classifier that only training needs"}};
}

std::unique_ptr<NetworkSpace> make_darts(const SpaceOptions& options) {
  return std::make_unique<Darts>(options);
}

}  // namespace cosearch::nas
