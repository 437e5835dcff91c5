// Which dimension and data space of a problem's shape is which of ours: read from what the data
// spaces are projected on, not from names.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "codesign/import/timeloop_design.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

using accel::Dimension;
using datasets::TimeloopProblem;
using DataSpace = TimeloopProblem::DataSpace;
using Rank = std::vector<TimeloopProblem::Term>;

bool is_projected_on(const DataSpace& space, const std::string& dimension) {
  return std::ranges::any_of(space.projection, [&](const Rank& rank) {
    return std::ranges::any_of(rank, [&](const auto& term) { return term.dimension == dimension; });
  });
}

/// The axis of a sliding window: two dimensions in one rank of the input.
struct Window {
  TimeloopProblem::Term position, tap;
};

class ShapeReader {
 public:
  explicit ShapeReader(const TimeloopProblem& problem) : problem_(problem) {
    find_output();
    find_input_and_weights();
    find_windows();
    for (const std::string& dimension : problem.dimensions) classify(dimension);
    set_shape();
  }

  [[nodiscard]] TimeloopLayer take() && { return std::move(result_); }

 private:
  [[noreturn]] void fail(const SourceLocation& where, const std::string& why) const {
    throw UserError(where, fmt::format("shape {}: {}; only convolutions and matrix products are "
                                       "understood",
                                       problem_.shape, why));
  }

  [[nodiscard]] std::int64_t value(const std::string& name) const {
    return name.empty() ? 1 : problem_.values.at(name);
  }

  void find_output() {
    if (problem_.data_spaces.size() != 3)
      fail(problem_.where, fmt::format("{} data spaces", problem_.data_spaces.size()));
    for (const DataSpace& space : problem_.data_spaces) {
      if (!space.read_write) continue;
      if (output_) fail(space.where, "two data spaces are written");
      output_ = &space;
    }
    if (!output_) fail(problem_.where, "no data space is written (read-write: true)");
  }

  static bool has_window(const DataSpace& space) {
    return std::ranges::any_of(space.projection, [](const Rank& rank) { return rank.size() > 1; });
  }

  /// The input is what a window slides over; without one, what is not called weights.
  void find_input_and_weights() {
    std::vector<const DataSpace*> read;
    for (const DataSpace& space : problem_.data_spaces)
      if (&space != output_) read.push_back(&space);
    if (has_window(*read[0]) && has_window(*read[1]))
      fail(read[1]->where, "windows slide over two data spaces");
    const bool first_is_weights =
        has_window(*read[1]) ||
        (!has_window(*read[0]) && (read[0]->name == "Weights" || read[1]->name == "Inputs"));
    weights_ = read[first_is_weights ? 0 : 1];
    input_ = read[first_is_weights ? 1 : 0];
    for (const DataSpace* space : {output_, weights_})
      if (has_window(*space)) fail(space->where, fmt::format("a window in {}", space->name));
    result_.tensors = {{input_->name, Tensor::input},
                       {weights_->name, Tensor::weights},
                       {output_->name, Tensor::output}};
    if (result_.tensors.size() != 3) fail(problem_.where, "two data spaces of one name");
  }

  void find_windows() {
    for (const Rank& rank : input_->projection) {
      if (rank.size() == 1 && !rank[0].coefficient.empty())
        fail(input_->where, "a coefficient without a window");
      if (rank.size() < 2) continue;
      if (rank.size() > 2) fail(input_->where, "three dimensions in one rank");
      const bool first_is_tap = is_projected_on(*weights_, rank[0].dimension);
      windows_.push_back(
          {.position = rank[first_is_tap ? 1 : 0], .tap = rank[first_is_tap ? 0 : 1]});
      if (!is_projected_on(*weights_, windows_.back().tap.dimension) ||
          is_projected_on(*weights_, windows_.back().position.dimension) ||
          !is_projected_on(*output_, windows_.back().position.dimension) ||
          is_projected_on(*output_, windows_.back().tap.dimension))
        fail(input_->where, fmt::format("{} and {} are not an output and a tap of a window",
                                        rank[0].dimension, rank[1].dimension));
    }
    if (windows_.size() > 2) fail(input_->where, "windows along more than two axes");
  }

  [[nodiscard]] std::optional<Dimension> in_window(const std::string& dimension) const {
    // The first window is our height; with names of convolutions, the one of P and R is.
    const bool swapped = windows_.size() == 2 && windows_[1].position.dimension == "P";
    for (std::size_t i = 0; i < windows_.size(); ++i) {
      const bool height = (i == 0) != swapped;
      if (windows_[i].position.dimension == dimension) return height ? Dimension::P : Dimension::Q;
      if (windows_[i].tap.dimension == dimension) return height ? Dimension::R : Dimension::S;
    }
    return std::nullopt;
  }

  void classify(const std::string& name) {
    if (const auto found = in_window(name)) return bind(name, *found);
    const bool input = is_projected_on(*input_, name);
    const bool weights = is_projected_on(*weights_, name);
    const bool output = is_projected_on(*output_, name);
    if (input && weights && output) return bind(name, Dimension::G);
    if (input && weights) return bind(name, Dimension::C);
    if (weights && output) return bind(name, Dimension::K);
    if (!input || !output) fail(problem_.where, fmt::format("{} moves one data space alone", name));
    // A batch, or the rows of a matrix product; they count alike.
    const bool taken =
        is_bound(Dimension::N) || (name != "N" && !is_bound(Dimension::P) && windows_.empty());
    bind(name, taken ? Dimension::P : Dimension::N);
  }

  [[nodiscard]] bool is_bound(Dimension dimension) const {
    return std::ranges::any_of(result_.dimensions,
                               [&](const auto& bound) { return bound.second == dimension; });
  }

  void bind(const std::string& name, Dimension dimension) {
    if (is_bound(dimension))
      fail(problem_.where, fmt::format("{} does the same as another dimension", name));
    result_.dimensions[name] = dimension;
  }

  [[nodiscard]] std::int64_t extent(Dimension dimension) const {
    for (const auto& [name, bound] : result_.dimensions)
      if (bound == dimension) return value(name);
    return 1;
  }

  void set_shape() {
    Layer& layer = result_.layer;
    layer.N = extent(Dimension::N);
    layer.G = extent(Dimension::G);
    layer.K = extent(Dimension::K);
    layer.C = extent(Dimension::C);
    layer.P = extent(Dimension::P);
    layer.Q = extent(Dimension::Q);
    layer.R = extent(Dimension::R);
    layer.S = extent(Dimension::S);
    for (const Window& window : windows_) {
      const bool height = result_.dimensions.at(window.position.dimension) == Dimension::P;
      (height ? layer.stride_h : layer.stride_w) = value(window.position.coefficient);
      (height ? layer.dilation_h : layer.dilation_w) = value(window.tap.coefficient);
    }
    layer.input_h = (layer.P - 1) * layer.stride_h + (layer.R - 1) * layer.dilation_h + 1;
    layer.input_w = (layer.Q - 1) * layer.stride_w + (layer.S - 1) * layer.dilation_w + 1;
    if (windows_.empty()) layer.kind = LayerKind::gemm;
    if (const auto problems = problems_in(layer); !problems.empty())
      throw UserError(problem_.where, problems.front());
    if (slides_too_far(layer))
      throw UserError(
          problem_.where,
          fmt::format("outputs times taps along one axis may be {} at most", kMostWindowSteps));
  }

  const TimeloopProblem& problem_;
  const DataSpace* output_ = nullptr;
  const DataSpace* input_ = nullptr;
  const DataSpace* weights_ = nullptr;
  std::vector<Window> windows_;
  TimeloopLayer result_;
};

}  // namespace

TimeloopLayer timeloop_layer(const TimeloopProblem& problem) { return ShapeReader(problem).take(); }

}  // namespace cosearch::codesign
