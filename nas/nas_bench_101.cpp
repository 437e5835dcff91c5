#include "nas/nas_bench_101.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "core/user_error.h"
#include "nas/blocks.h"
#include "nas/choice_space.h"
#include "nas/genotype_reader.h"

namespace cosearch::nas {
namespace {

constexpr const char* kName = "nas-bench-101";
constexpr std::size_t kVertices = 7, kOutput = kVertices - 1, kOperations = kVertices - 2;
constexpr std::uint32_t kPairs = kVertices * (kVertices - 1) / 2;
constexpr int kMostEdges = 9, kStacks = 3;
constexpr std::uint64_t kLabellings = 3 * 3 * 3 * 3 * 3;

enum Operation : std::uint8_t { conv3x3, conv1x1, maxpool3x3 };
const std::vector<std::string> kOperationNames{"conv3x3", "conv1x1", "maxpool3x3"};

/// Which bit of `Cell::edges` says whether `from` feeds `to`: the first pair is the highest, so
/// that the order of the numbers is that of the spellings.
std::uint32_t bit_of(std::size_t from, std::size_t to) {
  const std::size_t pair = from * (2 * kVertices - from - 1) / 2 + (to - from - 1);
  return 1U << (kPairs - 1 - pair);
}

struct Cell {
  std::uint32_t edges = 0;
  std::array<std::uint8_t, kOperations> operations{};  ///< of vertices 1 to 5

  friend auto operator<=>(const Cell&, const Cell&) = default;

  [[nodiscard]] bool feeds(std::size_t from, std::size_t to) const {
    return from < to && (edges & bit_of(from, to)) != 0;
  }
};

/// Whether each vertex lies on a way from the input to the output.
std::array<bool, kVertices> live_vertices(const Cell& cell) {
  std::array<bool, kVertices> reached{}, reaches{};
  reached[0] = reaches[kOutput] = true;
  for (std::size_t to = 1; to < kVertices; ++to)
    for (std::size_t from = 0; from < to; ++from)
      reached[to] = reached[to] || (reached[from] && cell.feeds(from, to));
  for (std::size_t from = kOutput; from-- > 0;)
    for (std::size_t to = from + 1; to < kVertices; ++to)
      reaches[from] = reaches[from] || (reaches[to] && cell.feeds(from, to));
  std::array<bool, kVertices> live{};
  for (std::size_t v = 0; v < kVertices; ++v) live[v] = reached[v] && reaches[v];
  return live;
}

bool is_valid(std::uint32_t edges) {
  return std::popcount(edges) <= kMostEdges && live_vertices({.edges = edges})[0];
}

/// All that a genotype's edges may be, ascending.
const std::vector<std::uint32_t>& valid_edges() {
  static const std::vector<std::uint32_t> all = [] {
    std::vector<std::uint32_t> list;
    for (std::uint32_t edges = 0; edges < (1U << kPairs); ++edges)
      if (is_valid(edges)) list.push_back(edges);
    return list;
  }();
  return all;
}

/// `cell` without its dead vertices, its live operations `from[0]`, `from[1]`, ... renumbered 1, 2,
/// ...; nothing when an edge would then point backward.
std::optional<Cell> renumbered(const Cell& cell, const std::vector<std::size_t>& from) {
  std::array<std::size_t, kVertices> place{};
  place[kOutput] = kOutput;
  for (std::size_t i = 0; i < from.size(); ++i) place[from[i]] = i + 1;
  const std::array<bool, kVertices> live = live_vertices(cell);
  Cell result;
  for (std::size_t to = 1; to < kVertices; ++to)
    for (std::size_t source = 0; source < to; ++source) {
      if (!live[source] || !live[to] || !cell.feeds(source, to)) continue;
      if (place[source] >= place[to]) return std::nullopt;
      result.edges |= bit_of(place[source], place[to]);
    }
  for (std::size_t i = 0; i < from.size(); ++i) result.operations[i] = cell.operations[from[i] - 1];
  return result;
}

/// The least cell over all numberings of the live vertices: equal exactly for isomorphic cells.
Cell canonical_cell(const Cell& cell) {
  const std::array<bool, kVertices> live = live_vertices(cell);
  std::vector<std::size_t> order;
  for (std::size_t v = 1; v < kOutput; ++v)
    if (live[v]) order.push_back(v);
  Cell least = *renumbered(cell, order);
  while (std::next_permutation(order.begin(), order.end()))
    if (const std::optional<Cell> other = renumbered(cell, order)) least = std::min(least, *other);
  return least;
}

/// Channels of each live operation of a canonical cell: what the output concatenates shares its
/// channels evenly, earlier vertices one more where that leaves a rest; what feeds operations only
/// has the most channels of those.
std::array<std::int64_t, kVertices> channels_of(const Cell& cell, std::int64_t out_channels) {
  std::int64_t parts = 0;
  for (std::size_t v = 1; v < kOutput; ++v) parts += cell.feeds(v, kOutput) ? 1 : 0;
  std::int64_t rest = parts == 0 ? 0 : out_channels % parts;
  std::array<std::int64_t, kVertices> channels{};
  for (std::size_t v = 1; v < kOutput; ++v)
    if (cell.feeds(v, kOutput)) channels[v] = out_channels / parts + (rest-- > 0 ? 1 : 0);
  for (std::size_t v = kOutput; v-- > 1;)
    for (std::size_t to = v + 1; to < kOutput; ++to)
      if (!cell.feeds(v, kOutput) && cell.feeds(v, to))
        channels[v] = std::max(channels[v], channels[to]);
  return channels;
}

/// Convolution, batch normalisation, ReLU.
Feature convolution(NetworkBuilder& builder, const std::string& name, const Feature& from,
                    std::int64_t channels, std::int64_t kernel) {
  return builder.convolution(
      name, from, {.out_channels = channels, .kernel = kernel, .activation = Activation::relu});
}

/// Lays one canonical cell after another.
class CellLayer {
 public:
  explicit CellLayer(const Cell& cell) : cell_(cell) {}

  Feature append(NetworkBuilder& builder, const std::string& name, const Feature& from,
                 std::int64_t out_channels) const {
    const std::array<std::int64_t, kVertices> channels = channels_of(cell_, out_channels);
    std::array<Feature, kVertices> values;
    std::vector<Feature> parts;
    values[0] = from;
    for (std::size_t v = 1; v < kOutput && channels[v] > 0; ++v) {
      const std::string vertex = name + ".vertex" + std::to_string(v);
      values[v] =
          append_operation(builder, vertex, sum_into(builder, vertex, v, values, channels[v]),
                           cell_.operations[v - 1]);
      if (cell_.feeds(v, kOutput)) parts.push_back(values[v]);
    }
    return append_output(builder, name + ".output", from, parts, out_channels);
  }

 private:
  /// What vertex `v` reads: the input projected, the others without the channels it lacks.
  [[nodiscard]] Feature sum_into(NetworkBuilder& builder, const std::string& name, std::size_t v,
                                 const std::array<Feature, kVertices>& values,
                                 std::int64_t channels) const {
    std::vector<Feature> terms;
    for (std::size_t from = 1; from < v; ++from)
      if (cell_.feeds(from, v)) terms.push_back(builder.truncate(values[from], channels));
    if (cell_.feeds(0, v))
      terms.push_back(convolution(builder, name + ".projection", values[0], channels, 1));
    return terms.size() == 1 ? terms.front() : builder.add(name + ".sum", terms);
  }

  static Feature append_operation(NetworkBuilder& builder, const std::string& name,
                                  const Feature& from, std::uint8_t operation) {
    if (operation == maxpool3x3)
      return builder.pool(name + ".pool", from, Pooling::maximum, 3, 1, 1);
    return convolution(builder, name + ".conv", from, from.channels, operation == conv3x3 ? 3 : 1);
  }

  [[nodiscard]] Feature append_output(NetworkBuilder& builder, const std::string& name,
                                      const Feature& from, const std::vector<Feature>& parts,
                                      std::int64_t channels) const {
    std::vector<Feature> terms;
    if (!parts.empty())
      terms.push_back(parts.size() == 1 ? parts.front() : builder.concatenate(parts));
    if (cell_.feeds(0, kOutput))
      terms.push_back(convolution(builder, name + ".projection", from, channels, 1));
    return terms.size() == 1 ? terms.front() : builder.add(name + ".sum", terms);
  }

  Cell cell_;
};

Cell cell_at(std::uint64_t index) {
  Cell cell{.edges = valid_edges()[index / kLabellings]};
  std::uint64_t labelling = index % kLabellings;
  for (std::size_t i = kOperations; i-- > 0; labelling /= 3)
    cell.operations[i] = static_cast<std::uint8_t>(labelling % 3);
  return cell;
}

/// Two alternatives for each pair of vertices, three for each operation.
std::vector<std::uint32_t> alternatives() {
  std::vector<std::uint32_t> counts(kPairs, 2);
  counts.insert(counts.end(), kOperations, static_cast<std::uint32_t>(kOperationNames.size()));
  return counts;
}

Choices choices_of(const Cell& cell) {
  Choices choices;
  for (std::uint32_t bit = 1U << (kPairs - 1); bit != 0; bit >>= 1)
    choices.push_back((cell.edges & bit) != 0 ? 1 : 0);
  choices.insert(choices.end(), cell.operations.begin(), cell.operations.end());
  return choices;
}

Cell cell_of(const Choices& choices) {
  Cell cell;
  for (std::uint32_t pair = 0; pair < kPairs; ++pair)
    cell.edges |= choices[pair] << (kPairs - 1 - pair);
  for (std::size_t i = 0; i < kOperations; ++i)
    cell.operations[i] = static_cast<std::uint8_t>(choices[kPairs + i]);
  return cell;
}

/// Not all combinations of choices are cells: those that are not are left out.
class NasBench101 : public ChoiceSpace {
 public:
  explicit NasBench101(const SpaceOptions& options)
      : ChoiceSpace(kName, alternatives()),
        image_(options.at("image")),
        classes_(options.at("classes")),
        channels_(options.at("channels")),
        modules_(options.at("modules")) {
    if (image_ % 4 != 0)
      throw UserError(std::string(kName) + ": option image = " + std::to_string(image_) +
                      ": must be a multiple of 4, halved twice");
  }

  [[nodiscard]] double size() const override { return static_cast<double>(count()); }

  [[nodiscard]] std::string genotype(std::uint64_t index) const override {
    if (index >= count())
      throw UserError(std::string(kName) + ": no genotype " + std::to_string(index) +
                      ": expected 0 to " + std::to_string(count() - 1));
    return spell(choices_of(cell_at(index)));
  }

  [[nodiscard]] std::string sample(Random& random) const override {
    return spell(choices_of(cell_at(random.below(count()))));
  }

  [[nodiscard]] std::vector<std::string> neighbours(const std::string& genotype) const override {
    std::vector<std::string> found = ChoiceSpace::neighbours(genotype);
    std::erase_if(found, [&](const std::string& neighbour) { return !contains(neighbour); });
    return found;
  }

  /// Drawn anew until it is a cell, as both parents are.
  [[nodiscard]] std::string crossover(const std::string& first, const std::string& second,
                                      Random& random) const override {
    std::string child;
    do child = ChoiceSpace::crossover(first, second, random);
    while (!contains(child));
    return child;
  }

  [[nodiscard]] std::string canonical(const std::string& genotype) const override {
    return spell(choices_of(canonical_cell(cell_of(parse(genotype)))));
  }

  /// Of the canonical cell: which vertices get the channels that division leaves over depends on
  /// their numbering.
  [[nodiscard]] Blueprint blueprint(const std::string& genotype) const override {
    const CellLayer cell(canonical_cell(cell_of(parse(genotype))));
    NetworkBuilder builder(kName + (" " + genotype), 3, image_, image_);
    Feature feature = convolution(builder, "stem", builder.input(), channels_, 3);
    std::int64_t channels = channels_;
    for (int stack = 1; stack <= kStacks; ++stack, channels *= 2) {
      const std::string stack_name = "stack" + std::to_string(stack);
      if (stack > 1) feature = builder.pool(stack_name + ".pool", feature, Pooling::maximum, 2, 2);
      for (std::int64_t module = 1; module <= modules_; ++module)
        feature = cell.append(builder, stack_name + ".module" + std::to_string(module), feature,
                              channels);
    }
    builder.fully_connected("classifier", builder.global_pool("pool", feature), classes_);
    return std::move(builder).blueprint();
  }

 protected:
  [[nodiscard]] std::string spell(const Choices& choices) const override {
    std::string text;
    std::size_t position = 0;
    for (std::size_t from = 0; from < kOutput; ++from) {
      if (from > 0) text += '|';
      for (std::size_t to = from + 1; to < kVertices; ++to)
        text += choices[position++] == 1 ? '1' : '0';
    }
    for (; position < choices.size(); ++position)
      text += (position == kPairs ? ";" : "|") + kOperationNames[choices[position]];
    return text;
  }

  [[nodiscard]] Choices parse(const std::string& genotype) const override {
    GenotypeReader reader(kName, genotype);
    Cell cell;
    for (std::size_t from = 0; from < kOutput; ++from) {
      if (from > 0) reader.expect("|");
      for (std::size_t to = from + 1; to < kVertices; ++to)
        if (reader.digit(
                "the edge from vertex " + std::to_string(from) + " to " + std::to_string(to), 2) ==
            1)
          cell.edges |= bit_of(from, to);
    }
    if (!is_valid(cell.edges))
      reader.fail("a way from vertex 0 to 6, and at most " + std::to_string(kMostEdges) +
                  " edges, before this");
    for (std::size_t i = 0; i < kOperations; ++i) {
      reader.expect(i == 0 ? ";" : "|");
      cell.operations[i] = static_cast<std::uint8_t>(reader.word(kOperationNames));
    }
    reader.expect_end();
    return choices_of(cell);
  }

 private:
  static std::uint64_t count() { return valid_edges().size() * kLabellings; }

  std::int64_t image_, classes_, channels_, modules_;
};

}  // namespace

const std::vector<std::string>& nas_bench_101_operations() { return kOperationNames; }

std::vector<std::pair<std::size_t, std::size_t>> nas_bench_101_edges(const Choices& choices) {
  const Cell cell = cell_of(choices);
  std::vector<std::pair<std::size_t, std::size_t>> edges;
  for (std::size_t from = 0; from < kOutput; ++from)
    for (std::size_t to = from + 1; to < kVertices; ++to)
      if (cell.feeds(from, to)) edges.emplace_back(from, to);
  return edges;
}

std::vector<std::uint32_t> nas_bench_101_vertices(const Choices& choices) {
  return {choices.begin() + kPairs, choices.end()};
}

std::vector<SpaceOption> nas_bench_101_options() {
  return {{"image", 32, 4, 1024, "height and width of the input, a multiple of 4"},
          {"classes", 10, 1, 100000, "outputs of the classifier"},
          {"channels", 128, 8, 1024, "channels of the stem and the first stack"},
          {"modules", 3, 1, 100, "cells per stack"}};
}

std::unique_ptr<NetworkSpace> make_nas_bench_101(const SpaceOptions& options) {
  return std::make_unique<NasBench101>(options);
}

}  // namespace cosearch::nas
