#include "nas/nas_bench_201.h"

#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/user_error.h"
#include "nas/blocks.h"
#include "nas/cell_graph.h"
#include "nas/choice_space.h"
#include "nas/genotype_reader.h"

namespace cosearch::nas {
namespace {

constexpr const char* kName = "nas-bench-201";
constexpr std::size_t kNodes = 4, kEdges = 6;
constexpr int kStages = 3;

enum Operation : std::uint8_t { none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3 };
const std::vector<std::string> kOperations{"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3",
                                           "avg_pool_3x3"};

/// ReLU, convolution, batch normalisation: all convolutions of the space but the stem's and the
/// shortcuts' are of this kind.
ConvolutionOptions relu_convolution(std::int64_t channels, std::int64_t kernel,
                                    std::int64_t stride = 1) {
  return {.out_channels = channels,
          .kernel = kernel,
          .stride = stride,
          .preactivation = Activation::relu};
}

Feature append_operation(NetworkBuilder& builder, const std::string& name, const Feature& from,
                         std::uint8_t operation) {
  if (operation == avg_pool_3x3)
    return builder.pool(name + ".pool", from, Pooling::average, 3, 1, 1);
  const std::int64_t kernel = operation == nor_conv_3x3 ? 3 : 1;
  return builder.convolution(name + ".conv" + std::to_string(kernel), from,
                             relu_convolution(from.channels, kernel));
}

/// Lays one cell after another, each sum of the same terms computed once.
class PrunedCell {
 public:
  explicit PrunedCell(const Choices& choices) : cell_(kNodes, nas_bench_201_edges(choices)) {}

  /// Assumes: a cell whose output nothing reaches hands on zeros at no cost; the layers around it
  /// run all the same.
  Feature append(NetworkBuilder& builder, const std::string& name, const Feature& from) const {
    if (cell_.operands(cell_.output()).empty()) return builder.zero(from);
    std::vector<Feature> values{from};
    std::map<std::vector<CellGraph::VertexId>, Feature> sums;
    for (CellGraph::VertexId v = 1;; ++v) {
      const std::vector<CellGraph::VertexId> operands = cell_.operands(v);
      const auto [sum, is_new] = sums.try_emplace(operands);
      if (is_new) sum->second = sum_of(builder, name, operands, values, sums.size());
      if (v == cell_.output()) return sum->second;
      values.push_back(append_operation(builder, name + ".op" + std::to_string(v), sum->second,
                                        cell_.graph()[v].operation));
    }
  }

 private:
  static Feature sum_of(NetworkBuilder& builder, const std::string& name,
                        const std::vector<CellGraph::VertexId>& operands,
                        const std::vector<Feature>& values, std::size_t number) {
    if (operands.size() == 1) return values[operands.front()];
    std::vector<Feature> terms;
    for (const CellGraph::VertexId operand : operands) terms.push_back(values[operand]);
    return builder.add(name + ".sum" + std::to_string(number), terms);
  }

  CellGraph cell_;
};

/// Every operation as spelled, whether or not its result is used.
Feature append_spelled_cell(NetworkBuilder& builder, const std::string& name, const Feature& from,
                            const Choices& choices) {
  std::vector<Feature> nodes{from};
  std::vector<Feature> terms;
  for (const CellEdge& edge : nas_bench_201_edges(choices)) {
    if (edge.kind == CellEdge::Kind::skip) terms.push_back(nodes[edge.from]);
    if (edge.kind == CellEdge::Kind::operation)
      terms.push_back(append_operation(
          builder, name + "." + std::to_string(edge.from) + "-" + std::to_string(edge.to),
          nodes[edge.from], edge.operation));
    if (edge.from + 1 < edge.to) continue;
    // A node that only `none` edges enter holds zeros, which cost nothing to make.
    if (terms.empty()) terms.push_back(builder.zero(from));
    nodes.push_back(terms.size() == 1
                        ? terms.front()
                        : builder.add(name + ".node" + std::to_string(edge.to), terms));
    terms.clear();
  }
  return nodes.back();
}

/// Every edge a sum of all its operations.
Feature append_mixed_cell(NetworkBuilder& builder, const std::string& name, const Feature& from,
                          std::vector<MixedBlueprint::Mixture>& mixtures) {
  std::vector<Feature> nodes{from};
  std::size_t edge = 0;
  for (std::size_t to = 1; to < kNodes; ++to) {
    std::vector<Feature> terms;
    for (std::size_t source = 0; source < to; ++source, ++edge) {
      const std::string edge_name = name + "." + std::to_string(source) + "-" + std::to_string(to);
      const Feature& node = nodes[source];
      terms.push_back(builder.add(
          edge_name + ".mixture",
          {builder.zero(node), node, append_operation(builder, edge_name, node, nor_conv_1x1),
           append_operation(builder, edge_name, node, nor_conv_3x3),
           append_operation(builder, edge_name, node, avg_pool_3x3)}));
      mixtures.push_back({terms.back().step, edge});
    }
    nodes.push_back(terms.size() == 1 ? terms.front()
                                      : builder.add(name + ".node" + std::to_string(to), terms));
  }
  return nodes.back();
}

/// Between stages: half the extent, twice the channels.
Feature append_residual_block(NetworkBuilder& builder, const std::string& name,
                              const Feature& from) {
  const std::int64_t channels = 2 * from.channels;
  Feature body = builder.convolution(name + ".conv_a", from, relu_convolution(channels, 3, 2));
  body = builder.convolution(name + ".conv_b", body, relu_convolution(channels, 3));
  Feature shortcut = builder.pool(name + ".shortcut.pool", from, Pooling::average, 2, 2);
  shortcut = builder.convolution(name + ".shortcut.conv", shortcut,
                                 {.out_channels = channels, .affine = Affine::none});
  return builder.add(name + ".add", {body, shortcut});
}

class NasBench201 : public ChoiceSpace {
 public:
  explicit NasBench201(const SpaceOptions& options)
      : ChoiceSpace(kName, std::vector<std::uint32_t>(
                               kEdges, static_cast<std::uint32_t>(kOperations.size()))),
        image_(options.at("image")),
        classes_(options.at("classes")),
        channels_(options.at("channels")),
        cells_(options.at("cells")),
        prune_(options.at("prune") != 0) {
    if (image_ % 4 != 0)
      throw UserError(std::string(kName) + ": option image = " + std::to_string(image_) +
                      ": must be a multiple of 4, halved twice");
  }

  [[nodiscard]] std::string canonical(const std::string& genotype) const override {
    static const std::vector<std::uint32_t> first_spelling = first_spellings();
    return spell(choices_at(first_spelling[index_of(parse(genotype))]));
  }

  [[nodiscard]] Blueprint blueprint(const std::string& genotype) const override {
    const Choices choices = parse(genotype);
    const PrunedCell pruned(choices);
    return framed(genotype,
                  [&](NetworkBuilder& builder, const std::string& cell, const Feature& from) {
                    return prune_ ? pruned.append(builder, cell, from)
                                  : append_spelled_cell(builder, cell, from, choices);
                  });
  }

  [[nodiscard]] std::optional<MixedBlueprint> mixed_blueprint() const override {
    MixedBlueprint mixed;
    mixed.blueprint =
        framed("mixed", [&](NetworkBuilder& builder, const std::string& cell, const Feature& from) {
          return append_mixed_cell(builder, cell, from, mixed.mixtures);
        });
    return mixed;
  }

  /// Source: N. Cavagnero et al., "FreeREA", WACV 2023; counted as in the authors' released code,
  /// where a skip connection from one node to the next passes over none.
  [[nodiscard]] std::optional<double> skip_length(const std::string& genotype) const override {
    std::size_t skips = 0, passed_over = 0;
    for (const CellEdge& edge : nas_bench_201_edges(parse(genotype))) {
      if (edge.kind != CellEdge::Kind::skip) continue;
      ++skips;
      passed_over += edge.to - edge.from - 1;
    }
    return skips == 0 ? 0.0 : static_cast<double>(passed_over) / static_cast<double>(skips);
  }

 protected:
  [[nodiscard]] std::string spell(const Choices& choices) const override {
    std::string text;
    std::size_t edge = 0;
    for (std::size_t to = 1; to < kNodes; ++to) {
      text += to == 1 ? "|" : "+|";
      for (std::size_t from = 0; from < to; ++from)
        text += kOperations[choices[edge++]] + "~" + std::to_string(from) + "|";
    }
    return text;
  }

  [[nodiscard]] Choices parse(const std::string& genotype) const override {
    GenotypeReader reader(kName, genotype);
    Choices choices;
    for (std::size_t to = 1; to < kNodes; ++to) {
      reader.expect(to == 1 ? "|" : "+|");
      for (std::size_t from = 0; from < to; ++from) {
        choices.push_back(static_cast<std::uint32_t>(reader.word(kOperations)));
        reader.expect("~" + std::to_string(from) + "|");
      }
    }
    reader.expect_end();
    return choices;
  }

 private:
  /// `append_cell(builder, name, from)` appends each cell.
  template <class AppendCell>
  [[nodiscard]] Blueprint framed(const std::string& title, AppendCell append_cell) const {
    NetworkBuilder builder(name() + " " + title, 3, image_, image_);
    Feature feature =
        builder.convolution("stem", builder.input(), {.out_channels = channels_, .kernel = 3});
    for (int stage = 0; stage < kStages; ++stage) {
      const std::string prefix = "stage" + std::to_string(stage);
      if (stage > 0) feature = append_residual_block(builder, prefix + ".residual", feature);
      for (std::int64_t cell = 0; cell < cells_; ++cell)
        feature = append_cell(builder, prefix + ".cell" + std::to_string(cell), feature);
    }
    append_head(builder, feature);
    return std::move(builder).blueprint();
  }

  /// The last cell's batch normalisation has no convolution before it to be fused into.
  void append_head(NetworkBuilder& builder, const Feature& from) const {
    const Feature normalised = builder.batch_norm("head.norm", from, Activation::relu);
    builder.fully_connected("classifier", builder.global_pool("head.pool", normalised), classes_);
  }

  /// For each genotype the first one, in the order of the space, whose cell has the same graph.
  [[nodiscard]] std::vector<std::uint32_t> first_spellings() const {
    std::vector<std::uint32_t> first;
    std::unordered_map<std::string, std::uint32_t> first_of_form;
    for (std::uint32_t index = 0; index < static_cast<std::uint32_t>(size()); ++index) {
      const CellGraph cell(kNodes, nas_bench_201_edges(choices_at(index)));
      first.push_back(first_of_form.try_emplace(cell.canonical_form(), index).first->second);
    }
    return first;
  }

  std::int64_t image_, classes_, channels_, cells_;
  bool prune_;
};

}  // namespace

const std::vector<std::string>& nas_bench_201_operations() { return kOperations; }

std::vector<CellEdge> nas_bench_201_edges(const Choices& choices) {
  std::vector<CellEdge> edges;
  for (std::size_t to = 1; to < kNodes; ++to)
    for (std::size_t from = 0; from < to; ++from) {
      const auto operation = static_cast<std::uint8_t>(choices[edges.size()]);
      const auto kind = operation == none           ? CellEdge::Kind::zero
                        : operation == skip_connect ? CellEdge::Kind::skip
                                                    : CellEdge::Kind::operation;
      edges.push_back({from, to, kind, operation});
    }
  return edges;
}

std::vector<SpaceOption> nas_bench_201_options() {
  return {{"image", 32, 4, 1024, "height and width of the input, a multiple of 4"},
          {"classes", 10, 1, 100000, "outputs of the classifier"},
          {"channels", 16, 1, 1024, "channels of the stem and the first stage"},
          {"cells", 5, 1, 100, "cells per stage"},
          {"prune", 1, 0, 1, "1: operations whose result is never used do not run; 0: they do"}};
}

std::unique_ptr<NetworkSpace> make_nas_bench_201(const SpaceOptions& options) {
  return std::make_unique<NasBench201>(options);
}

}  // namespace cosearch::nas
