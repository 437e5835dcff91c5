#include "codesign/accuracy_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <set>
#include <utility>

#include "codesign/accuracy_measurement.h"
#include "codesign/json_lines.h"
#include "codesign/network_scores.h"
#include "codesign/predictor_file.h"
#include "codesign/training_log.h"
#include "core/user_error.h"
#include "datasets/file_bytes.h"
#include "datasets/image_set.h"
#include "datasets/partial_file.h"
#include "datasets/sha256.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;
using Estimates = std::optional<std::vector<AccuracyEstimate>>;
using Networks = std::span<const std::uint32_t>;

class TableSource final : public AccuracySource {
 public:
  explicit TableSource(const NetworkSet& networks) : networks_(networks) {}

  [[nodiscard]] AccuracyKind kind() const override { return AccuracyKind::table; }
  [[nodiscard]] Estimates estimate(Networks networks, const AccuracyWatch&) override {
    std::vector<AccuracyEstimate> estimates;
    for (const std::uint32_t network : networks)
      estimates.push_back({.value = networks_.candidates[network].accuracy_percent});
    return estimates;
  }

 private:
  const NetworkSet& networks_;
};

// "image 32, classes 10": every option of `space`, given or not.
std::string options_text(const SpaceSource& space, const nas::SpaceOptions& given) {
  std::vector<std::string> texts;
  for (const nas::SpaceOption& option : options_of(space)) {
    const auto found = given.find(option.name);
    texts.push_back(fmt::format("{} {}", option.name,
                                found == given.end() ? option.default_value : found->second));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

// A file that speaks of a space speaks of the study's: of spaces in files, which may lie anywhere,
// what they say counts.
void require_space(const AccuracyChoice& choice, const Study& study, const SpaceSource& space,
                   const nas::SpaceOptions& options) {
  const auto refuse = [&](const std::string& why) {
    throw UserError(choice.where, fmt::format("{} is for {}", choice.file.string(), why));
  };
  const SpaceSource own{study.networks.space, study.networks.space_text};
  if (space.is_file() && own.is_file() && space.text != own.text)
    refuse(
        fmt::format("the space that {} described when it was made; {}, the study's, says "
                    "something else",
                    space.name, own.name));
  if (space.is_file() != own.is_file() || (!own.is_file() && space.name != own.name))
    refuse(fmt::format("the space {}; the study's is {}", space.name, own.name));
  const std::string there = options_text(own, options),
                    here = options_text(own, study.networks.options);
  if (there != here) refuse(fmt::format("{} with {}; the study has {}", space.name, there, here));
}

class PredictorSource final : public AccuracySource {
 public:
  PredictorSource(const AccuracyChoice& choice, const Study& study, const NetworkSet& networks,
                  Workers& workers, const AccuracyTools& tools)
      : key_(choice.key),
        networks_(networks),
        workers_(workers),
        trained_(read_predictor(choice.file, tools.neural_modules)),
        hash_(datasets::sha256(datasets::read_file(choice.file))) {
    require_suitable(choice, study);
  }

  [[nodiscard]] AccuracyKind kind() const override { return AccuracyKind::predictor; }
  [[nodiscard]] std::map<std::string, std::string> input_hashes() const override {
    return {{key_, hash_}};
  }

  [[nodiscard]] Estimates estimate(Networks networks, const AccuracyWatch&) override {
    const predictors::Examples examples = features_of(
        networks_, networks, trained_.source,
        [&](const std::string& column) { return scores_named(column); }, workers_);
    std::vector<AccuracyEstimate> estimates(networks.size());
    workers_.for_ranges(networks.size(), [&](std::size_t begin, std::size_t end) {
      // One by one: products of matrices round according to how many rows they have.
      for (std::size_t i = begin; i < end; ++i)
        estimates[i] = estimate_of(
            trained_.predictor->predict(examples.subset(std::vector<std::size_t>{i})).front());
    });
    return estimates;
  }

 private:
  void require_suitable(const AccuracyChoice& choice, const Study& study) const {
    const FeatureSource& source = trained_.source;
    const auto refuse = [&](const std::string& why) {
      throw UserError(choice.where, fmt::format("{} {}", choice.file.string(), why));
    };
    if (trained_.kind != "accuracy")
      refuse(fmt::format("predicts '{}', a kind of {}; expected a predictor of accuracy",
                         trained_.target, trained_.kind));
    require_space(choice, study, {source.space, source.space_text}, source.options);
    for (const std::string& score : source.scores)
      if (std::ranges::find(networks_.score_names, score) == networks_.score_names.end())
        refuse(
            fmt::format("needs the score '{}' of every network: give 'networks' the 'scores' of "
                        "a table, with this name among its 'columns'",
                        score));
  }

  // Of all candidates, by the name that the study gives the score.
  [[nodiscard]] std::vector<double> scores_named(const std::string& name) const {
    const auto place = static_cast<std::size_t>(std::ranges::find(networks_.score_names, name) -
                                                networks_.score_names.begin());
    std::vector<double> values;
    for (const Candidate& candidate : networks_.candidates)
      values.push_back(candidate.scores[place]);
    return values;
  }

  // The model's scale need not be a straight line: half the distance between the accuracies one
  // standard deviation above and below is the deviation of the accuracy to first order.
  [[nodiscard]] AccuracyEstimate estimate_of(const predictors::Prediction& predicted) const {
    const auto percent = [&](double deviations) {
      return std::clamp(trained_.scale.inverse(predicted.mean + deviations * predicted.deviation),
                        0.0, 100.0);
    };
    return {.value = percent(0), .spread = (percent(1) - percent(-1)) / 2};
  }

  std::string key_;
  const NetworkSet& networks_;
  Workers& workers_;
  TrainedPredictor trained_;
  std::string hash_;
};

// Values that take long to find, by genotype, kept in a file as soon as they are known.
class KeptValues {
 public:
  void keep_in(const std::filesystem::path& file, const json& subject) {
    lines_.emplace(file, subject);
    for (std::size_t row = 0; row < lines_->rows().size(); ++row) {
      const json& kept = lines_->rows()[row];
      if (!kept.contains("genotype") || !kept["genotype"].is_string() || !kept.contains("value") ||
          !(kept["value"].is_number() || kept["value"].is_null()))
        lines_->fail(row);
      values_[kept["genotype"]] = kept["value"].is_null() ? std::numeric_limits<double>::quiet_NaN()
                                                          : kept["value"].get<double>();
    }
  }

  [[nodiscard]] std::optional<double> of(const std::string& genotype) const {
    const auto found = values_.find(genotype);
    if (found == values_.end()) return std::nullopt;
    return found->second;
  }

  // JSON has no NaN: it is written as null.
  void add(const std::string& genotype, double value) {
    if (lines_) lines_->append({{"genotype", genotype}, {"value", value}});
    values_[genotype] = value;
  }

 private:
  std::optional<JsonLines> lines_;
  std::map<std::string, double> values_;
};

std::filesystem::path beside(const std::filesystem::path& store, const char* extension) {
  return datasets::replaceable_file(store).string() + extension;
}

// Values that are found network by network, each by one thread.
class KeptSource : public AccuracySource {
 public:
  KeptSource(const NetworkSet& networks, Workers& workers)
      : networks_(networks), workers_(workers) {}

  [[nodiscard]] Estimates estimate(Networks networks, const AccuracyWatch& watch) override {
    std::vector<std::uint32_t> missing;
    for (const std::uint32_t network : networks)
      if (!kept_.of(candidate(network).genotype)) missing.push_back(network);
    std::mutex one_at_a_time;
    std::uint64_t done = 0;
    workers_.for_ranges(missing.size(), [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end && !(watch.stop && watch.stop()); ++i) {
        const double value = value_of(missing[i]);
        const std::lock_guard lock(one_at_a_time);
        kept_.add(candidate(missing[i]).genotype, value);
        if (watch.progress)
          watch.progress(
              ++done, missing.size(),
              fmt::format("{} {}: {:.6g}", name_of(kind()), candidate(missing[i]).genotype, value));
      }
    });
    std::vector<AccuracyEstimate> estimates;
    for (const std::uint32_t network : networks) {
      const std::optional<double> value = kept_.of(candidate(network).genotype);
      if (!value) return std::nullopt;
      estimates.push_back({.value = *value});
    }
    return estimates;
  }

 protected:
  [[nodiscard]] virtual double value_of(std::uint32_t network) const = 0;
  [[nodiscard]] const Candidate& candidate(std::uint32_t network) const {
    return networks_.candidates[network];
  }

  const NetworkSet& networks_;
  Workers& workers_;
  KeptValues kept_;
};

// A score of the study's table where that has it, else computed: from noise, unless it is plain to
// see.
class ScoreSource final : public KeptSource {
 public:
  ScoreSource(const AccuracyChoice& choice, const Study& study, const NetworkSet& networks,
              Workers& workers, const AccuracyTools& tools)
      : KeptSource(networks, workers) {
    request_.scores = {choice.score};
    request_.seed = study.seed;
    const auto column = std::ranges::find(networks.score_names, nas::name_of(choice.score));
    if (column != networks.score_names.end())
      column_ = static_cast<std::size_t>(column - networks.score_names.begin());
    if (column_ || is_structural(choice.score)) return;
    if (!tools.scorer) throw UserError(choice.where, "this program computes no such scores");
    scorer_ = tools.scorer();
    request_.scorer = scorer_.get();
    subject_ = {{"score", nas::name_of(choice.score)},     {"space", study.networks.space},
                {"space_options", study.networks.options}, {"batch", request_.options.batch},
                {"repeats", request_.options.repeats},     {"seed", study.seed}};
    if (!study.networks.space_text.empty())
      subject_["space_file"] = datasets::sha256(study.networks.space_text);
  }

  [[nodiscard]] AccuracyKind kind() const override { return AccuracyKind::score; }
  [[nodiscard]] Estimates estimate(Networks networks, const AccuracyWatch& watch) override {
    if (scorer_) return KeptSource::estimate(networks, watch);
    std::vector<AccuracyEstimate> estimates(networks.size());
    workers_.for_ranges(networks.size(), [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) estimates[i].value = value_of(networks[i]);
    });
    return estimates;
  }
  void keep_beside(const std::filesystem::path& store) override {
    if (scorer_) kept_.keep_in(beside(store, ".scored"), subject_);
  }

 private:
  [[nodiscard]] double value_of(std::uint32_t network) const override {
    if (column_) return candidate(network).scores[*column_];
    return scores_of(*networks_.network_space, candidate(network), request_).front();
  }

  std::optional<std::size_t> column_;
  std::unique_ptr<nas::Scorer> scorer_;
  ScoreRequest request_;
  json subject_;
};

// A supernet tells the accuracies of all networks, roughly, with the weights they inherit.
class SupernetSource final : public KeptSource {
 public:
  SupernetSource(const AccuracyChoice& choice, const Study& study, const NetworkSet& networks,
                 Workers& workers, const AccuracyTools& tools)
      : KeptSource(networks, workers), key_(choice.key) {
    if (!tools.supernet) throw UserError(choice.where, "this program asks no supernets");
    supernet_ =
        tools.supernet(choice.file, datasets::read_image_data(choice.images, choice.array_layout));
    require_space(choice, study, supernet_.space, supernet_.options);
    hash_ = datasets::sha256(datasets::read_file(choice.file));
  }

  [[nodiscard]] AccuracyKind kind() const override { return AccuracyKind::supernet; }
  // Its images are those that the file was trained on, or opening it had failed.
  [[nodiscard]] std::map<std::string, std::string> input_hashes() const override {
    return {{key_, hash_}};
  }
  void keep_beside(const std::filesystem::path& store) override {
    kept_.keep_in(beside(store, ".inherited"), {{"supernet", hash_}});
  }

 private:
  [[nodiscard]] double value_of(std::uint32_t network) const override {
    return supernet_.accuracy_of(candidate(network).genotype);
  }

  std::string key_, hash_;
  AskedSupernet supernet_;
};

// Trains each distinct network once.
class TrainSource final : public AccuracySource {
 public:
  TrainSource(const AccuracyChoice& choice, const Study& study, const NetworkSet& networks,
              Workers& workers, const AccuracyTools& tools)
      : choice_(choice),
        networks_(networks),
        workers_(workers),
        images_(datasets::read_image_data(choice.images, choice.array_layout)),
        measurement_{.space = study.networks.space,
                     .space_text = study.networks.space_text,
                     .space_options = study.networks.options,
                     .recipe = choice.recipe,
                     .device = choice.device},
        seed_(study.seed) {
    const auto problems = nas::problems_in(choice.recipe, images_.training.count);
    if (!problems.empty())
      throw UserError(choice.where, fmt::format("{}", fmt::join(problems, "; ")));
    if (!tools.trainer) throw UserError(choice.where, "this program trains no networks");
    trainer_ = tools.trainer();
    if (choice.device == nas::Device::cuda && !trainer_->has_cuda())
      throw UserError(choice.where,
                      "device: cuda: LibTorch was built without CUDA, or there is no such device");
    for (const Candidate& candidate : networks.candidates)
      genotypes_.try_emplace(candidate.canonical, candidate.genotype);
  }

  [[nodiscard]] AccuracyKind kind() const override { return AccuracyKind::train; }
  [[nodiscard]] std::map<std::string, std::string> input_hashes() const override {
    return {{choice_.key, datasets::sha256(record_of(measurement_, images_).dump())}};
  }

  void keep_beside(const std::filesystem::path& store) override {
    log_.emplace(beside(store, ".trained"), record_of(measurement_, images_));
    checkpoints_ = beside(store, ".checkpoints");
    for (const TrainedNetwork& network : log_->networks()) note(network);
  }

  [[nodiscard]] Estimates estimate(Networks networks, const AccuracyWatch& watch) override {
    if (!log_)
      throw UserError(choice_.where,
                      "networks are trained by `cosearch run` alone, which keeps what was trained; "
                      "elsewhere name a table that `cosearch dataset train` made");
    if (const std::vector<TrainingJob> jobs = missing_of(networks); !jobs.empty())
      train(jobs, watch);
    std::vector<AccuracyEstimate> estimates;
    for (const std::uint32_t network : networks) {
      const auto found = trained_.find(networks_.candidates[network].canonical);
      if (found == trained_.end()) return std::nullopt;
      estimates.push_back(found->second);
    }
    remove_checkpoints(checkpoints_);
    return estimates;
  }

 private:
  // Networks that were not trained yet, each once, under the first of its spellings: what is
  // learned must not depend on which of them was asked about.
  [[nodiscard]] std::vector<TrainingJob> missing_of(Networks networks) const {
    std::vector<TrainingJob> jobs;
    std::set<std::string> listed;
    for (const std::uint32_t network : networks) {
      const std::string& canonical = networks_.candidates[network].canonical;
      if (!trained_.contains(canonical) && listed.insert(canonical).second)
        jobs.push_back({genotypes_.at(canonical), seed_});
    }
    return jobs;
  }

  void train(const std::vector<TrainingJob>& jobs, const AccuracyWatch& watch) {
    std::uint64_t done = 0;
    const auto finished = [&](const TrainedNetwork& network) {
      log_->append(network);
      note(network);
      if (watch.progress)
        watch.progress(++done, jobs.size(),
                       fmt::format("train {}: {:.2f}", network.job.genotype,
                                   network.result.test_accuracy_percent));
    };
    train_all(jobs, measurement_, *networks_.network_space, *trainer_, images_, checkpoints_,
              workers_, {.finished = finished, .stop = watch.stop});
  }

  void note(const TrainedNetwork& network) {
    if (network.job.seed != seed_) return;
    const nas::TrainingResult& result = network.result;
    trained_[networks_.network_space->canonical(network.job.genotype)] = {
        .value = result.test_accuracy_percent,
        .failure = result.failure.empty() ? "" : "training failed: " + result.failure};
  }

  AccuracyChoice choice_;
  const NetworkSet& networks_;
  Workers& workers_;
  datasets::ImageData images_;
  AccuracyMeasurement measurement_;
  std::uint64_t seed_;
  std::unique_ptr<nas::Trainer> trainer_;
  std::map<std::string, std::string> genotypes_;     // the first, by canonical form
  std::map<std::string, AccuracyEstimate> trained_;  // by canonical form
  std::optional<TrainingLog> log_;
  std::filesystem::path checkpoints_;
};

}  // namespace

std::unique_ptr<AccuracySource> make_accuracy_source(const AccuracyChoice& choice,
                                                     const Study& study, const NetworkSet& networks,
                                                     Workers& workers, const AccuracyTools& tools) {
  switch (choice.kind) {
    case AccuracyKind::predictor:
      return std::make_unique<PredictorSource>(choice, study, networks, workers, tools);
    case AccuracyKind::train:
      return std::make_unique<TrainSource>(choice, study, networks, workers, tools);
    case AccuracyKind::score:
      return std::make_unique<ScoreSource>(choice, study, networks, workers, tools);
    case AccuracyKind::supernet:
      return std::make_unique<SupernetSource>(choice, study, networks, workers, tools);
    default:
      return std::make_unique<TableSource>(networks);
  }
}

}  // namespace cosearch::codesign
