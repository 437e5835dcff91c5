#include "codesign/recommendation_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "accel/machine_costs.h"
#include "codesign/joint_space.h"
#include "codesign/layer_coster.h"
#include "codesign/machine_file.h"
#include "core/random.h"
#include "core/user_error.h"
#include "datasets/array_file.h"
#include "datasets/sha256.h"

namespace cosearch::codesign {
namespace {

constexpr const char* kKind = "recommendation data";
constexpr std::uint32_t kVersion = 1;

/// Calls `draw` with the random stream of each attempt until `count` different layers are there.
template <class Draw>
std::vector<Layer> distinct_layers(std::size_t count, std::uint64_t seed, const char* purpose,
                                   const Draw& draw) {
  std::vector<Layer> layers;
  std::unordered_set<Layer, LayerHash> seen;
  for (std::uint64_t attempt = 0; layers.size() < count; ++attempt) {
    Random random(seed, purpose, attempt);
    const Layer layer = draw(random);
    if (seen.insert(layer).second) layers.push_back(layer);
  }
  return layers;
}

double log2_of(std::int64_t value) { return std::log2(static_cast<double>(value)); }

struct Feature {
  const char* name;
  double (*of)(const Layer& layer);
};
constexpr Feature kFeatures[] = {
    {"log2 N", [](const Layer& l) { return log2_of(l.N); }},
    {"log2 G", [](const Layer& l) { return log2_of(l.G); }},
    {"log2 K", [](const Layer& l) { return log2_of(l.K); }},
    {"log2 C", [](const Layer& l) { return log2_of(l.C); }},
    {"log2 D", [](const Layer& l) { return log2_of(l.D); }},
    {"log2 P", [](const Layer& l) { return log2_of(l.P); }},
    {"log2 Q", [](const Layer& l) { return log2_of(l.Q); }},
    {"log2 T", [](const Layer& l) { return log2_of(l.T); }},
    {"log2 R", [](const Layer& l) { return log2_of(l.R); }},
    {"log2 S", [](const Layer& l) { return log2_of(l.S); }},
    {"log2 stride_d", [](const Layer& l) { return log2_of(l.stride_d); }},
    {"log2 stride_h", [](const Layer& l) { return log2_of(l.stride_h); }},
    {"log2 stride_w", [](const Layer& l) { return log2_of(l.stride_w); }},
    {"log2 dilation_d", [](const Layer& l) { return log2_of(l.dilation_d); }},
    {"log2 dilation_h", [](const Layer& l) { return log2_of(l.dilation_h); }},
    {"log2 dilation_w", [](const Layer& l) { return log2_of(l.dilation_w); }},
    {"transposed", [](const Layer& l) { return l.transposed ? 1.0 : 0.0; }},
    {"log2 MACs", [](const Layer& l) { return log2_of(l.macs()); }},
    {"log2 input", [](const Layer& l) { return log2_of(l.elements(Tensor::input)); }},
    {"log2 weights", [](const Layer& l) { return log2_of(l.elements(Tensor::weights)); }},
    {"log2 output", [](const Layer& l) { return log2_of(l.elements(Tensor::output)); }},
    {"log2 MACs per element",
     [](const Layer& l) {
       return log2_of(l.macs()) - log2_of(l.elements(Tensor::input) + l.elements(Tensor::weights) +
                                          l.elements(Tensor::output));
     }},
};

predictors::Examples no_features() {
  predictors::Examples features;
  for (const Feature& feature : kFeatures)
    features.columns.push_back({feature.name, predictors::FeatureKind::continuous});
  return features;
}

std::string setting_of(const AcceleratorSet& accelerators, const MapperChoice& mapping) {
  std::string text =
      fmt::format("{} {} {}\n", mapping.mapper ? static_cast<int>(*mapping.mapper) : -1,
                  mapping.objective.latency, mapping.objective.energy);
  for (const Accelerator& one : accelerators.list)
    text += write_machine({one.machine, *one.constraints, one.dataflow});
  return datasets::sha256(text);
}

void refuse_other_questions(const Study& study, Metric objective) {
  if (objective != Metric::latency && objective != Metric::energy && objective != Metric::edp)
    throw UserError(
        fmt::format("accelerators are not recommended for their {}; expected latency, "
                    "energy or edp",
                    info_of(objective).name));
  for (const Constraint& constraint : study.constraints)
    if (constraint.metric != Metric::area)
      throw UserError({study.file}, fmt::format("a recommendation knows the constraint 'area' "
                                                "only: remove '{}'",
                                                describe(constraint)));
}

/// The study's accelerators that its constraints allow.
AcceleratorSet allowed_accelerators(const Study& study, Metric objective) {
  AcceleratorSet accelerators = load_accelerators(study);
  std::vector<Accelerator>& list = accelerators.list;
  std::erase_if(list, [&](const Accelerator& accelerator) {
    Metrics metrics;
    metrics[Metric::area] = accel::area_of(accelerator.machine).value;
    return violation(study.constraints, metrics) > 0;
  });
  if (list.empty())
    throw UserError({study.file},
                    "no accelerator is left to recommend: the study names none, or "
                    "its constraint on area allows none");
  const auto has_other_clock = [&](const Accelerator& accelerator) {
    return accelerator.machine.clock != list.front().machine.clock;
  };
  if (objective != Metric::energy && std::ranges::any_of(list, has_other_clock))
    throw UserError({study.file},
                    "the accelerators' clocks differ, so their cycles do not "
                    "compare: give all of them one clock");
  return accelerators;
}

double cost_of(const LayerOutcome& outcome, Metric objective) {
  if (!outcome.failure.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto cycles = static_cast<double>(outcome.cycles);
  if (objective == Metric::latency) return cycles;
  return objective == Metric::energy ? outcome.energy_pj : cycles * outcome.energy_pj;
}

/// Nothing where all costs are NaN.
std::optional<std::uint32_t> best_choice(std::span<const double> costs,
                                         std::span<const double> areas) {
  std::optional<std::uint32_t> best;
  for (std::uint32_t choice = 0; choice < costs.size(); ++choice) {
    if (std::isnan(costs[choice])) continue;
    if (!best || std::tuple(costs[choice], areas[choice]) < std::tuple(costs[*best], areas[*best]))
      best = choice;
  }
  return best;
}

}  // namespace

std::vector<Layer> draw_convolutions(std::size_t count, std::uint64_t seed) {
  return distinct_layers(count, seed, "convolution workloads", [](Random& random) {
    const auto channels = [&] { return 2 * static_cast<std::int64_t>(1 + random.below(256)); };
    const auto side = [&] {
      return std::max<std::int64_t>(1, 8 * static_cast<std::int64_t>(random.below(33)));
    };
    ConvolutionShape shape{.in_channels = channels(), .out_channels = channels()};
    const std::int64_t window = 1 + 2 * static_cast<std::int64_t>(random.below(5));
    shape.height = side() + window - 1;
    shape.width = side() + window - 1;
    shape.kernel_h = shape.kernel_w = window;
    return convolution(shape);
  });
}

std::vector<Layer> draw_gemms(std::size_t count, std::uint64_t seed) {
  return distinct_layers(count, seed, "GEMM workloads", [](Random& random) {
    const auto extent = [&] {
      return std::llround(std::exp2(std::log2(16384.0) * random.uniform()));
    };
    const std::int64_t rows = extent(), columns = extent();
    return gemm(rows, columns, extent());
  });
}

std::vector<Layer> workloads_in(const NetworkSet& networks) {
  std::vector<Layer> layers;
  for (const Layer& layer : networks.layers)
    if (!layer.is_memory_bound()) layers.push_back(layer);
  return layers;
}

predictors::Examples features_of(std::span<const Layer> layers) {
  predictors::Examples features = no_features();
  for (const Layer& layer : layers)
    for (const Feature& feature : kFeatures) features.features.push_back(feature.of(layer));
  return features;
}

RecommendationData recommendation_data(const Study& study, std::vector<Layer> layers,
                                       Metric objective, Workers& workers,
                                       const std::function<void(std::size_t)>& done) {
  refuse_other_questions(study, objective);
  NetworkSet set;
  set.layers = std::move(layers);
  const JointSpace space(std::move(set), allowed_accelerators(study, objective), study.mapping);
  const std::vector<Layer>& all = space.networks().layers;
  RecommendationData data{.objective = objective,
                          .setting = setting_of(space.accelerator_set(), study.mapping)};
  std::vector<double> areas;
  for (const Accelerator& accelerator : space.accelerators()) {
    data.choices.push_back(accelerator.machine.name);
    areas.push_back(accel::area_of(accelerator.machine).value);
  }
  LocalLayerCoster coster(space, workers);
  std::vector<Layer> kept;
  constexpr std::size_t kLayersAtOnce = 64;  // so that outcomes take little memory
  std::vector<LayerTask> tasks;
  for (std::size_t first = 0; first < all.size(); first += kLayersAtOnce) {
    const std::size_t end = std::min(all.size(), first + kLayersAtOnce);
    tasks.clear();
    for (std::size_t layer = first; layer < end; ++layer)
      for (std::uint32_t choice = 0; choice < data.choices.size(); ++choice)
        tasks.push_back({choice, static_cast<LayerId>(layer)});
    std::vector<LayerOutcome> outcomes(tasks.size());
    coster.cost(tasks, outcomes);
    for (std::size_t layer = first; layer < end; ++layer) {
      std::vector<double> costs;
      for (std::size_t choice = 0; choice < data.choices.size(); ++choice)
        costs.push_back(
            cost_of(outcomes[(layer - first) * data.choices.size() + choice], objective));
      const std::optional<std::uint32_t> best = best_choice(costs, areas);
      if (!best) continue;
      kept.push_back(all[layer]);
      data.workloads.push_back(describe(all[layer]));
      data.costs.insert(data.costs.end(), costs.begin(), costs.end());
      data.best.push_back(*best);
    }
    if (done) done(end);
  }
  if (kept.empty())
    throw UserError({study.file}, fmt::format("none of {} layers fits any of {} accelerators",
                                              all.size(), data.choices.size()));
  data.features = features_of(kept);
  return data;
}

void write_recommendation_data(const std::filesystem::path& path, const RecommendationData& data) {
  datasets::ArrayFile file{.kind = kKind, .version = kVersion};
  file.texts["objective"] = std::string(info_of(data.objective).name);
  file.texts["setting"] = data.setting;
  file.text_lists["choices"] = data.choices;
  file.text_lists["workloads"] = data.workloads;
  for (const predictors::FeatureColumn& column : data.features.columns)
    file.text_lists["columns"].push_back(column.name);
  file.numbers["features"] = data.features.features;
  file.numbers["costs"] = data.costs;
  file.numbers["best"].assign(data.best.begin(), data.best.end());
  datasets::write_array_file(path, file);
}

RecommendationData read_recommendation_data(const std::filesystem::path& path) {
  datasets::ArrayFile file = datasets::read_array_file(path, kKind, kVersion);
  const auto damaged = [&](const char* what) {
    return UserError({path.string()}, fmt::format("its {} are damaged; write it again", what));
  };
  RecommendationData data;
  const std::optional<Metric> objective = metric_named(file.texts["objective"]);
  if (!objective) throw damaged("objective");
  data.objective = *objective;
  data.setting = file.texts["setting"];
  data.choices = std::move(file.text_lists["choices"]);
  data.workloads = std::move(file.text_lists["workloads"]);
  data.features = no_features();
  std::vector<std::string> names;
  for (const predictors::FeatureColumn& column : data.features.columns)
    names.push_back(column.name);
  if (file.text_lists["columns"] != names) throw damaged("features");
  data.features.features = std::move(file.numbers["features"]);
  data.costs = std::move(file.numbers["costs"]);
  const std::vector<double>& best = file.numbers["best"];
  if (data.rows() == 0 || data.features.features.size() != data.rows() * names.size())
    throw damaged("features");
  if (data.costs.size() != data.rows() * data.choices.size()) throw damaged("costs");
  if (best.size() != data.rows()) throw damaged("best choices");
  for (std::size_t row = 0; row < data.rows(); ++row) {
    if (!(best[row] >= 0 && best[row] < static_cast<double>(data.choices.size())))
      throw damaged("best choices");
    data.best.push_back(static_cast<std::uint32_t>(best[row]));
    if (!(data.least_cost(row) > 0)) throw damaged("costs");
  }
  return data;
}

}  // namespace cosearch::codesign
