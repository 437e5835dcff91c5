// Which of a study's accelerators is best for a layer, found by trying all of them with our own
// model: what recommenders learn from and are judged by.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "codesign/metrics.h"
#include "codesign/network_set.h"
#include "codesign/study.h"
#include "codesign/workers.h"
#include "core/layer.h"
#include "predictors/examples.h"

namespace cosearch::codesign {

/// `count` different convolutions: K and C even in [2, 512], output rows and columns 1 or a
/// multiple of 8 up to 256, square windows of 1, 3, 5, 7 or 9, stride 1 without padding. Source:
/// the inputs of J. Seo, A. Ramachandran, Y. Chuang, A. Itagi, T. Krishna, "AIrchitect v2", DATE
/// 2025.
[[nodiscard]] std::vector<Layer> draw_convolutions(std::size_t count, std::uint64_t seed);

/// `count` different products of matrices whose three extents are uniform in their logarithm over
/// [1, 16384], which holds those of language models.
[[nodiscard]] std::vector<Layer> draw_gemms(std::size_t count, std::uint64_t seed);

/// The layers of multiply-accumulates in `networks`, each once, in order.
[[nodiscard]] std::vector<Layer> workloads_in(const NetworkSet& networks);

/// What a recommender may know of a layer: the logarithms of its extents, strides and dilations, of
/// its multiply-accumulates and of its tensors' elements, and of multiply-accumulates per element;
/// and whether it is transposed.
[[nodiscard]] predictors::Examples features_of(std::span<const Layer> layers);

struct RecommendationData {
  Metric objective = Metric::latency;
  /// SHA-256 of the accelerators' machines and of who maps layers to them: what the costs rest on.
  std::string setting = {};
  std::vector<std::string> choices = {};    ///< names of accelerators
  std::vector<std::string> workloads = {};  ///< described for people
  predictors::Examples features = {};       ///< a row for each workload
  /// workloads x choices, in the unit of `objective`; NaN where the layer does not fit. Every
  /// workload fits some choice.
  std::vector<double> costs = {};
  /// By workload: the choice of least cost, of equal ones the smallest in area, of those the first.
  std::vector<std::uint32_t> best = {};

  [[nodiscard]] std::size_t rows() const { return workloads.size(); }
  [[nodiscard]] std::span<const double> costs_of(std::size_t row) const {
    return std::span(costs).subspan(row * choices.size(), choices.size());
  }
  [[nodiscard]] double least_cost(std::size_t row) const { return costs_of(row)[best[row]]; }
};

/// Costs every layer on every accelerator of `study` within its constraint on area. Layers that fit
/// none are left out. The same for any number of workers. `done` is told how many layers are done.
/// Throws UserError when no accelerator or no layer is left, for an objective other than latency,
/// energy and edp, for a constraint other than on area, and for latencies in cycles of different
/// clocks.
[[nodiscard]] RecommendationData recommendation_data(const Study& study, std::vector<Layer> layers,
                                                     Metric objective, Workers& workers,
                                                     const std::function<void(std::size_t)>& done);

/// Throws FileError; what stood at `path` before then still does.
void write_recommendation_data(const std::filesystem::path& path, const RecommendationData& data);

/// Throws FileError when the file cannot be read and UserError, naming it, when it is no such data,
/// of another version, or damaged.
[[nodiscard]] RecommendationData read_recommendation_data(const std::filesystem::path& path);

}  // namespace cosearch::codesign
