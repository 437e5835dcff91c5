// cosearch score: training-free scores of a space's networks, and how well they rank.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "codesign/accuracy_measurement.h"
#include "codesign/cli/checks.h"
#include "codesign/cli/console.h"
#include "codesign/cli/partial_numbers.h"
#include "codesign/cli/program_files.h"
#include "codesign/cli/progress.h"
#include "codesign/cli/stop_signal.h"
#include "codesign/cli/text_table.h"
#include "codesign/cli/training_options.h"
#include "codesign/joint_space.h"
#include "codesign/network_scores.h"
#include "codesign/space_file.h"
#include "core/user_error.h"
#include "datasets/fingerprint.h"
#include "datasets/front_file.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

struct ScoreOptions {
  NetworkSource source;
  NetworkTableSource table{.genotype = {"genotype"}};
  std::vector<std::string> space_options;  // "NAME=VALUE"
  std::vector<std::string> scores = nas::score_names();
  nas::ScoringOptions scoring;
  std::string images, output;
  datasets::ArrayLayout layout = datasets::ArrayLayout::unstated;
  std::uint64_t seed = 1;
  int jobs = 0;
};

NetworkSet networks_of(const ScoreOptions& options) {
  Study study;
  study.file =
      options.table.file.empty() ? "--space " + options.source.space : options.table.file.string();
  study.seed = options.seed;
  study.networks = options.source;
  study.networks.options = space_options_in(options.space_options);
  if (!options.table.file.empty()) study.networks.table = options.table;
  Workers workers(job_count(options.jobs));
  return load_networks(study, workers);
}

// What a file says may change while its name stays.
std::string text_mark(const NetworkSource& source) {
  if (source.space_text.empty()) return "";
  const datasets::Fingerprint halves = datasets::fingerprint_of(source.space_text);
  return fmt::format("@{:016x}{:016x}", halves[0], halves[1]);
}

std::string layout_mark(datasets::ArrayLayout layout) {
  return layout == datasets::ArrayLayout::unstated ? ""
                                                   : fmt::format("@{}", static_cast<int>(layout));
}

std::string request_text(const ScoreOptions& options) {
  return fmt::format("{}{} {} {} {} {} {}{} {}", options.source.space, text_mark(options.source),
                     fmt::join(options.space_options, " "), fmt::join(options.scores, ","),
                     options.scoring.batch, options.scoring.repeats, options.images,
                     layout_mark(options.layout), options.seed);
}

void fill(PartialNumbers& partial, const NetworkSet& set, const ScoreRequest& request, int jobs,
          const Console& console) {
  std::vector<std::size_t> left;
  for (std::size_t i = 0; i < set.candidates.size(); ++i)
    if (!partial.numbers().contains(set.candidates[i].genotype)) left.push_back(i);
  console.note(fmt::format("{} networks to score, {} done already{}", left.size(),
                           set.candidates.size() - left.size(),
                           request.scorer ? "; " + request.scorer->description() : ""));
  Workers workers(jobs);
  Progress progress(console);
  std::uint64_t done = 0;
  score_networks(
      set, left, request, workers,
      [&](std::size_t i, std::vector<double> scores) {
        const std::string& genotype = set.candidates[i].genotype;
        partial.add(genotype, std::move(scores));
        progress.update(++done, left.size(), [&] { return genotype; });
      },
      stop_was_requested);
}

struct ScoreTable {
  std::vector<std::string> genotypes;
  std::vector<double> accuracies;           // all NaN where none were given
  std::vector<std::vector<double>> scores;  // by score
  bool has_accuracies = false;
};

ScoreTable table_of(const NetworkSet& set, const PartialNumbers& partial, std::size_t scores) {
  ScoreTable table;
  table.scores.resize(scores);
  for (const Candidate& candidate : set.candidates) {
    table.genotypes.push_back(candidate.genotype);
    table.accuracies.push_back(candidate.accuracy_percent);
    table.has_accuracies |= !std::isnan(candidate.accuracy_percent);
    const std::vector<double>& values = partial.numbers().at(candidate.genotype);
    for (std::size_t i = 0; i < scores; ++i) table.scores[i].push_back(values[i]);
  }
  return table;
}

void write(const std::filesystem::path& output, const std::vector<std::string>& names,
           const ScoreTable& table) {
  datasets::Columns columns;
  columns.columns.push_back({"genotype", "", table.genotypes});
  if (table.has_accuracies) columns.columns.push_back({"accuracy_percent", "", table.accuracies});
  for (std::size_t i = 0; i < names.size(); ++i)
    columns.columns.push_back({names[i], "", table.scores[i]});
  datasets::write_columns(output, columns);
}

// Networks of which the score is known, and how well it ranks them where accuracies are.
void report(const std::vector<std::string>& names, const ScoreTable& table,
            const Console& console) {
  json rows = json::array();
  TextTable text(table.has_accuracies
                     ? std::vector<std::string>{"score", "networks", "Spearman", "95 % interval"}
                     : std::vector<std::string>{"score", "networks"});
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto known =
        table.genotypes.size() - static_cast<std::size_t>(std::ranges::count_if(
                                     table.scores[i], [](double x) { return std::isnan(x); }));
    if (!table.has_accuracies) {
      rows.push_back({{"score", names[i]}, {"networks", known}});
      text.add({names[i], std::to_string(known)});
      continue;
    }
    const ScoreQuality quality = quality_of(table.scores[i], table.accuracies);
    rows.push_back({{"score", names[i]},
                    {"networks", quality.networks},
                    {"spearman", quality.spearman},
                    {"interval", {quality.interval.low, quality.interval.high}}});
    text.add({names[i], std::to_string(quality.networks), fixed(quality.spearman, 3),
              fixed(quality.interval.low, 3) + " to " + fixed(quality.interval.high, 3)});
  }
  if (console.json) return console.print(rows);
  text.print(console.out);
}

void score(const ScoreOptions& options, Console& console) {
  if (const auto problems = problems_in(options.scoring); !problems.empty())
    throw UserError(fmt::format("{}", fmt::join(problems, "; ")));
  ScoreRequest request;
  request.options = options.scoring;
  request.seed = options.seed;
  for (const std::string& name : options.scores) request.scores.push_back(nas::score_named(name));
  if (!options.table.file.empty()) refuse_as_output(options.output, options.table.file);

  const NetworkSet set = networks_of(options);
  std::unique_ptr<nas::Scorer> scorer;
  if (!std::ranges::all_of(request.scores, nas::is_structural))
    scorer = nas::load_scorer(training_module_folder());
  datasets::ImageData images;
  nas::LabelledImages training;
  if (!options.images.empty()) {
    images = datasets::read_image_data(options.images, options.layout);
    training = view_of(images.training, images.classes);
    request.images = &training;
    if (!set.candidates.empty())
      note_fitting(console, training,
                   set.network_space->blueprint(set.candidates.front().genotype));
  }
  request.scorer = scorer.get();

  PartialNumbers partial(options.output, request_text(options));
  watch_for_stop();
  fill(partial, set, request, job_count(options.jobs), console);
  if (stop_was_requested()) {
    console.note("cosearch: stopped; the same command goes on");
    console.exit_code = kStopped;
    return;
  }
  const ScoreTable table = table_of(set, partial, options.scores.size());
  write(options.output, options.scores, table);
  partial.remove();
  report(options.scores, table, console);
}

}  // namespace

void add_score_command(CLI::App& app, Console& console) {
  const auto options = std::make_shared<ScoreOptions>();
  CLI::App* command = app.add_subcommand(
      "score",
      "Score the networks of a space without training them; a stopped run goes on where it was");
  command->option_defaults()->always_capture_default();
  command->add_option("--space", options->source.space, "the space, or a file that describes one")
      ->required();
  command->add_option("--option", options->space_options, "NAME=VALUE, an option of the space")
      ->take_all();
  command->add_option("--table", options->table.file,
                      "a CSV file with one network a row; left out, the whole space");
  command->add_option("--genotype", options->table.genotype, "its columns of the genotype")
      ->delimiter(',');
  command->add_option("--accuracy", options->table.accuracy,
                      "its column of accuracies in percent, to see how well the scores rank");
  command->add_option("--sample", options->source.sample, "so many of the networks, at random")
      ->check(whole_number(1));
  command->add_option("--scores", options->scores, "which scores")->delimiter(',');
  command->add_option("--batch", options->scoring.batch, "images a batch");
  command->add_option("--repeats", options->scoring.repeats,
                      "times that weights and noise are drawn; a score is the mean");
  command->add_option("--images", options->images,
                      "folder of images, as dataset train takes; left out, Gaussian noise with "
                      "labels at random");
  add_array_layout_option(*command, options->layout);
  command->add_option("--seed", options->seed, "of the sample, the weights and the noise")
      ->check(whole_number(0));
  command->add_option("-o,--output", options->output, "the table to write: .csv, .json or .h5")
      ->required();
  command
      ->add_option("-j,--jobs", options->jobs,
                   "networks at a time, one thread each; the answer is the same for any number")
      ->check(CLI::Range(0, 1024));
  command->callback([options, &console] {
    options->source.space_text = space_source(options->source.space).text;
    score(*options, console);
  });
}

}  // namespace cosearch::codesign
