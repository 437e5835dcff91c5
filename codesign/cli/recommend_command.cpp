// cosearch recommend: an accelerator for a layer in one step, learned from trying them all.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codesign/cli/checks.h"
#include "codesign/cli/console.h"
#include "codesign/cli/predictor_options.h"
#include "codesign/cli/program_files.h"
#include "codesign/cli/progress.h"
#include "codesign/cli/study_options.h"
#include "codesign/cli/text_table.h"
#include "codesign/joint_space.h"
#include "codesign/network_file.h"
#include "codesign/network_mapping.h"
#include "codesign/predictor_bench.h"
#include "codesign/recommendation_bench.h"
#include "codesign/recommendation_data.h"
#include "codesign/recommender_file.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

/// The one asked for, else the study's, where that leaves no choice.
Metric objective_of(const std::string& text, const Study& study) {
  if (text.empty() && study.objectives.size() != 1)
    throw UserError({study.file},
                    "has several objectives; say with --objective which an accelerator is to be "
                    "best for: latency, energy or edp");
  if (text.empty()) return study.objectives.front().metric;
  const std::optional<Metric> metric = metric_named(text);
  if (!metric) throw UserError("--objective " + text + ": expected latency, energy or edp");
  return *metric;
}

// --- write -----------------------------------------------------------------------------

struct RecommendWrite {
  StudyOptions study;
  std::string draw, objective, output;
  std::size_t sample = 5'000;
};

std::vector<Layer> workloads_of(const RecommendWrite& options, const Study& study,
                                Workers& workers) {
  if (options.draw == "convolutions") return draw_convolutions(options.sample, study.seed);
  if (options.draw == "gemms") return draw_gemms(options.sample, study.seed);
  return workloads_in(load_networks(study, workers));
}

void write_data(const RecommendWrite& options, const Console& console) {
  const Study study = options.study.read();
  const Metric objective = objective_of(options.objective, study);
  for (const std::filesystem::path& input : input_files(study))
    refuse_as_output(options.output, input);
  Workers workers(options.study.job_count());
  std::vector<Layer> layers = workloads_of(options, study, workers);
  const std::size_t count = layers.size();
  const RecommendationData data = [&] {
    Progress progress(console);
    return recommendation_data(study, std::move(layers), objective, workers, [&](std::size_t done) {
      progress.update(done, count, [] { return std::string("layers"); });
    });
  }();
  write_recommendation_data(options.output, data);
  std::vector<std::uint32_t> used = data.best;
  std::ranges::sort(used);
  const auto distinct = std::unique(used.begin(), used.end()) - used.begin();
  if (console.json)
    return console.print({{"data", options.output},
                          {"objective", info_of(data.objective).name},
                          {"workloads", data.rows()},
                          {"workloads_that_fit_nowhere", count - data.rows()},
                          {"accelerators", data.choices.size()},
                          {"accelerators_best_for_some", distinct}});
  console.out << fmt::format(
      "{} layers on {} accelerators each; {} fit none; {} accelerators are best for some -> {}\n",
      grouped(static_cast<double>(count)), grouped(static_cast<double>(data.choices.size())),
      count - data.rows(), distinct, options.output);
}

void add_recommend_write(CLI::App& command, const Console& console) {
  const auto options = std::make_shared<RecommendWrite>();
  CLI::App* write = command.add_subcommand(
      "write", "Try layers on all of a study's accelerators and keep the costs");
  options->study.add_to(*write);
  CLI::Option* draw =
      write
          ->add_option("--draw", options->draw,
                       "draw layers at random instead of taking those of the study's networks")
          ->check(CLI::IsMember({"convolutions", "gemms"}));
  write->add_option("--sample", options->sample, "how many layers to draw")
      ->check(whole_number(1))
      ->capture_default_str()
      ->needs(draw);
  write->add_option("--objective", options->objective,
                    "latency, energy or edp (default: the study's, where it has one)");
  write->add_option("-o,--output", options->output, "the data's file, .h5")->required();
  write->callback([options, &console] { write_data(*options, console); });
}

// --- bench -----------------------------------------------------------------------------

struct RecommendBench {
  std::string data, unseen;
  RecommendationBenchOptions bench{.models = predictors::recommender_names()};
  int jobs = 0;
};

struct RecommendationMeasure {
  const char* key;
  const char* heading;
  double RecommendationScore::*value;
  int decimals;
};
constexpr RecommendationMeasure kRecommendationMeasures[] = {
    {"exact", "exact", &RecommendationScore::exact, 3},
    {"within_5_percent", "within 5 %", &RecommendationScore::within_5_percent, 3},
    {"mean_regret", "mean regret", &RecommendationScore::mean_regret, 4},
    {"p95_regret", "95 %", &RecommendationScore::p95_regret, 3},
    {"worst_regret", "worst", &RecommendationScore::worst_regret, 2},
    {"shortlist_regret", "shortlist", &RecommendationScore::shortlist_regret, 4},
    {"misfits", "misfits", &RecommendationScore::misfits, 3},
    {"fit_seconds", "fit[s]", &RecommendationScore::fit_seconds, 2},
};

std::vector<double> values_of(const RecommendationBenchRow& row,
                              const RecommendationMeasure& measure) {
  std::vector<double> values;
  for (const RecommendationScore& score : row.scores) values.push_back(score.*measure.value);
  return values;
}

void print_bench(const Console& console, const std::vector<RecommendationBenchRow>& rows) {
  std::vector<std::string> header{"model"};
  for (const RecommendationMeasure& measure : kRecommendationMeasures)
    header.emplace_back(measure.heading);
  TextTable table(header);
  for (const RecommendationBenchRow& row : rows) {
    std::vector<std::string> cells{row.model};
    for (const RecommendationMeasure& measure : kRecommendationMeasures) {
      const MeanInterval value = mean_interval(values_of(row, measure));
      const bool has_interval = measure.value == &RecommendationScore::mean_regret;
      cells.push_back(has_interval ? with_interval(value, measure.decimals)
                                   : fixed(value.mean, measure.decimals));
    }
    table.add(std::move(cells));
  }
  table.print(console.out);
}

void bench(RecommendBench& options, const Console& console) {
  options.bench.module_folder = neural_module_folder();
  const RecommendationData data = read_recommendation_data(options.data);
  std::optional<RecommendationData> unseen;
  if (!options.unseen.empty()) {
    const RecommendationData all = read_recommendation_data(options.unseen);
    unseen = without_known(all, data);
    if (const std::size_t known = all.rows() - unseen->rows(); known > 0)
      console.note(fmt::format("{} of the unseen workloads are in {} too and are left out", known,
                               options.data));
  }
  if (options.bench.training == 0)
    options.bench.training = std::max<std::size_t>(1, data.rows() * 4 / 5);
  Workers workers(job_count(options.jobs));
  const std::vector<RecommendationBenchRow> rows =
      bench_recommenders(data, unseen ? &*unseen : nullptr, options.bench, workers);
  const std::size_t judged = unseen ? unseen->rows() : data.rows() - options.bench.training;
  if (console.json) {
    json results = json::array();
    for (const RecommendationBenchRow& row : rows) {
      json result{{"model", row.model}};
      for (const RecommendationMeasure& measure : kRecommendationMeasures)
        result[measure.key] = interval_json(values_of(row, measure));
      results.push_back(std::move(result));
    }
    return console.print({{"objective", info_of(data.objective).name},
                          {"accelerators", data.choices.size()},
                          {"training_workloads", options.bench.training},
                          {"workloads", judged},
                          {"shortlist", options.bench.shortlist},
                          {"results", results}});
  }
  console.out << fmt::format(
      "{} of {} accelerators; learned from {} workloads, judged by {} others; means over {} "
      "seeds, the mean regret with its 95 % interval; shortlist: best of {}\n\n",
      info_of(data.objective).name, data.choices.size(),
      grouped(static_cast<double>(options.bench.training)), grouped(static_cast<double>(judged)),
      options.bench.seeds, options.bench.shortlist);
  print_bench(console, rows);
}

void add_recommend_bench(CLI::App& command, const Console& console) {
  const auto options = std::make_shared<RecommendBench>();
  CLI::App* bench_command = command.add_subcommand(
      "bench", "What it costs to follow recommenders, on workloads they have not seen");
  bench_command->add_option("DATA", options->data, "what write wrote")->required();
  bench_command->add_option("--unseen", options->unseen,
                            "judge by these workloads, tried on the same accelerators");
  bench_command
      ->add_option("--models", options->bench.models,
                   fmt::format("of {}", fmt::join(predictors::recommender_names(), ", ")))
      ->delimiter(',')
      ->capture_default_str();
  bench_command
      ->add_option("--train", options->bench.training,
                   "workloads to learn from, drawn anew for each seed (default: four fifths)")
      ->check(whole_number(1));
  bench_command->add_option("--seeds", options->bench.seeds, "splits of the workloads")
      ->check(whole_number(1))
      ->capture_default_str();
  bench_command->add_option("--seed", options->bench.seed, "of the first split")
      ->check(whole_number(0))
      ->capture_default_str();
  bench_command->add_option("--shortlist", options->bench.shortlist, "recommendations to try")
      ->check(whole_number(1))
      ->capture_default_str();
  bench_command->add_option("-j,--jobs", options->jobs, "threads (default: one a core)")
      ->check(whole_number(1));
  bench_command->callback([options, &console] { bench(*options, console); });
}

// --- train and ask -----------------------------------------------------------------------

struct RecommendTrain {
  std::string data, model = "tree", output;
  std::uint64_t seed = 1;
};

void train(const RecommendTrain& options, const Console& console) {
  refuse_as_output(options.output, options.data);
  TrainedRecommender trained{
      .model = options.model,
      .recommender = predictors::make_recommender(options.model, neural_module_folder())};
  const RecommendationData data = read_recommendation_data(options.data);
  trained.objective = data.objective;
  trained.choices = data.choices;
  trained.recommender->fit(data.features, data.best,
                           static_cast<std::uint32_t>(data.choices.size()), options.seed);
  write_recommender(options.output, trained);
  console.note(fmt::format("{} on {} workloads -> {}", options.model, data.rows(), options.output));
}

void add_recommend_train(CLI::App& command, const Console& console) {
  const auto options = std::make_shared<RecommendTrain>();
  CLI::App* train_command = command.add_subcommand("train", "Fit a recommender and write it");
  train_command->add_option("DATA", options->data, "what write wrote")->required();
  train_command
      ->add_option("--model", options->model,
                   fmt::format("one of {}", fmt::join(predictors::recommender_names(), ", ")))
      ->capture_default_str();
  train_command->add_option("--seed", options->seed, "of what the model draws at random")
      ->check(whole_number(0))
      ->capture_default_str();
  train_command->add_option("-o,--output", options->output, "the recommender's file, .h5")
      ->required();
  train_command->callback([options, &console] { train(*options, console); });
}

struct RecommendAsk {
  std::string recommender, network, layer;
  std::size_t top = 1;
};

struct AskedShape {
  Layer layer;
  std::string name;  ///< of the first layer of this shape
  std::int64_t times = 0;
};

std::vector<AskedShape> shapes_of(const Network& network) {
  std::vector<AskedShape> shapes;
  for (const auto& node : network.nodes()) {
    if (node.layer.is_memory_bound()) continue;
    const auto found = std::ranges::find(shapes, node.layer, &AskedShape::layer);
    if (found != shapes.end())
      found->times += node.multiplicity;
    else
      shapes.push_back({node.layer, node.name, node.multiplicity});
  }
  return shapes;
}

void ask(const RecommendAsk& options, const Console& console) {
  const TrainedRecommender trained = read_recommender(options.recommender, neural_module_folder());
  Network network = find_network(options.network);
  if (!options.layer.empty()) network = only_layer(network, options.layer);
  const std::vector<AskedShape> shapes = shapes_of(network);
  if (shapes.empty())
    throw UserError(options.network + ": has no layer of multiply-accumulates to recommend for");
  std::vector<Layer> layers;
  for (const AskedShape& shape : shapes) layers.push_back(shape.layer);
  const predictors::Examples features = features_of(layers);
  const std::vector<double> shares = trained.recommender->shares(features);
  const std::size_t choices = trained.choices.size(), top = std::min(options.top, choices);
  TextTable table({"layer", "times", "share", "accelerator", "shape", "unfamiliar"});
  json rows = json::array();
  bool are_guesses = false;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const auto row = std::span(shares).subspan(i * choices, choices);
    const std::vector<std::uint32_t> order = trained.recommender->ranked(row);
    const std::vector<std::string> unfamiliar = trained.recommender->unfamiliar(features.row(i));
    are_guesses = are_guesses || !unfamiliar.empty();
    for (std::size_t place = 0; place < top; ++place) {
      const std::uint32_t choice = order[place];
      table.add({shapes[i].name, std::to_string(shapes[i].times), fixed(row[choice], 3),
                 trained.choices[choice], describe(shapes[i].layer),
                 fmt::format("{}", fmt::join(unfamiliar, ", "))});
      rows.push_back({{"layer", shapes[i].name},
                      {"shape", describe(shapes[i].layer)},
                      {"times", shapes[i].times},
                      {"accelerator", trained.choices[choice]},
                      {"share", row[choice]},
                      {"unfamiliar", unfamiliar}});
    }
  }
  if (console.json) return console.print(rows);
  console.out << fmt::format(
      "least {} by '{}'; share: of workloads like this for which it is "
      "thought best\n\n",
      info_of(trained.objective).name, trained.model);
  table.print(console.out);
  if (are_guesses)
    console.note(
        "unfamiliar: in these the layer lies beyond all workloads learned from; what is "
        "recommended for it is a guess");
}

void add_recommend_ask(CLI::App& command, const Console& console) {
  const auto options = std::make_shared<RecommendAsk>();
  CLI::App* ask_command =
      command.add_subcommand("ask", "Recommend an accelerator for each layer of a network");
  ask_command->add_option("RECOMMENDER", options->recommender, "what train wrote")->required();
  ask_command
      ->add_option("-n,--network", options->network,
                   "a name (list networks), SPACE:GENOTYPE, or a YAML file")
      ->required();
  ask_command->add_option("--layer", options->layer, "only this layer");
  ask_command->add_option("--top", options->top, "so many accelerators a layer")
      ->check(whole_number(1))
      ->capture_default_str();
  ask_command->callback([options, &console] { ask(*options, console); });
}

}  // namespace

void add_recommend_command(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand(
      "recommend", "An accelerator for a layer in one step, learned from trying them all");
  command->require_subcommand(1);
  add_recommend_write(*command, console);
  add_recommend_bench(*command, console);
  add_recommend_train(*command, console);
  add_recommend_ask(*command, console);
}

}  // namespace cosearch::codesign
