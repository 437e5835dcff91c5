#include "codesign/study.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "codesign/search/registry.h"
#include "codesign/space_file.h"
#include "core/user_error.h"
#include "datasets/document.h"
#include "datasets/quantity_text.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

bool takes_plain_number(Metric metric) {
  return metric == Metric::macs || metric == Metric::parameters || metric == Metric::edp ||
         metric == Metric::score;
}

constexpr std::array kAccuracyKinds{AccuracyKind::table, AccuracyKind::predictor,
                                    AccuracyKind::train, AccuracyKind::score,
                                    AccuracyKind::supernet};

double number(const std::string& text, std::string_view unit, std::string_view expected) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || std::string_view(rest, end) != unit || !std::isfinite(value))
    throw UserError(fmt::format("'{}': expected {}", text, expected));
  return value;
}

// Reads the parts of one study. Members are named after the keys they read; `at` is the JSON
// pointer of the part, from which errors find their line and column.
class StudyReader {
 public:
  StudyReader(const datasets::Document& document, const Definitions& definitions)
      : document_(document), definitions_(definitions) {}

  [[nodiscard]] Study read() const {
    const json& root = document_.value;
    Study study;
    study.file = document_.file;
    study.name = root["name"];
    study.seed = root.value("seed", std::uint64_t{1});
    study.networks = networks(root["networks"]);
    if (root.contains("accuracy")) set_accuracy(root["accuracy"], study);
    if (root.contains("accelerators")) study.accelerators = accelerators(root["accelerators"]);
    if (root.contains("mapping")) study.mapping = mapping(root["mapping"], study.accelerators);
    if (root.contains("costs")) study.costs = costs(root["costs"]);
    study.objectives = objectives(root, study.accuracy.first.kind);
    if (root.contains("constraints")) study.constraints = constraints(root["constraints"]);
    if (root.contains("strategy")) study.strategy = strategy(root["strategy"], "/strategy");
    if (root.contains("budget") && root["budget"].contains("evaluations"))
      study.evaluations = root["budget"]["evaluations"];
    if (root.contains("gap")) study.gap = gap(root["gap"]);
    return study;
  }

 private:
  [[noreturn]] void fail(const std::string& at, const std::string& message) const {
    throw UserError(document_.location_of(at), message);
  }

  // Runs `check`, giving what it throws the place `at` in the study.
  template <class Check>
  decltype(auto) located(const std::string& at, Check check) const {
    try {
      return check();
    } catch (const FileError& error) {
      throw FileError(document_.location_of(at), error.what());
    } catch (const UserError& error) {
      fail(at, error.what());
    }
  }

  // A file name, relative to the study's folder, with `${NAME}` replaced.
  [[nodiscard]] std::filesystem::path file(const json& value, const std::string& at) const {
    std::string text = value;
    for (std::size_t start = text.find("${"); start != std::string::npos;
         start = text.find("${", start)) {
      const std::size_t end = text.find('}', start);
      if (end == std::string::npos) fail(at, "'${' without a closing '}'");
      const std::string name = text.substr(start + 2, end - start - 2);
      const auto found = definitions_.find(name);
      if (found == definitions_.end())
        fail(at, fmt::format("'${{{}}}' is not defined (add --define {}=VALUE)", name, name));
      text.replace(start, end + 1 - start, found->second);
      start += found->second.size();
    }
    return std::filesystem::path(document_.file).parent_path() / text;
  }

  static std::vector<std::string> strings(const json& value) {
    if (value.is_string()) return {value.get<std::string>()};
    return value.get<std::vector<std::string>>();
  }

  // A filter's value as it stands in a table: 16 is "16".
  static std::string cell(const json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
  }

  static RowFilter where(const json& part) {
    RowFilter filter;
    if (!part.contains("where")) return filter;
    for (const auto& [column, wanted] : part["where"].items()) {
      if (wanted.is_array())
        for (const json& value : wanted) filter[column].push_back(cell(value));
      else
        filter[column].push_back(cell(wanted));
    }
    return filter;
  }

  [[nodiscard]] NetworkSource networks(const json& part) const {
    NetworkSource source;
    if (part.contains("space") == part.contains("named"))
      fail("/networks", "networks come either from a 'space' or are 'named'; give one of the two");
    if (part.contains("named")) return named_networks(part);
    source.space = part["space"];
    if (datasets::names_document(source.space)) {
      source.space = file(part["space"], "/networks/space").string();
      source.space_text = space_source(source.space).text;
    }
    if (part.contains("options")) source.options = part["options"].get<nas::SpaceOptions>();
    const SpaceSource space{source.space, source.space_text};
    located("/networks/space", [&] { return options_of(space); });
    located(part.contains("options") ? "/networks/options" : "/networks/space",
            [&] { return make_space(space, source.options); });
    if (part.contains("sample")) source.sample = part["sample"];
    source.merge_equivalent = part.value("merge_equivalent", false);
    if (part.contains("scores")) source.scores = scores(part["scores"]);
    if (!part.contains("table")) return source;
    if (part["table"].is_string())
      source.embedded_table = true;
    else
      source.table = network_table(part["table"]);
    return source;
  }

  [[nodiscard]] ScoreTableSource scores(const json& part) const {
    return {.file = file(part["file"], "/networks/scores/file"),
            .network = strings(part["network"]),
            .columns = part["columns"].get<std::map<std::string, std::string>>()};
  }

  [[nodiscard]] NetworkSource named_networks(const json& part) const {
    for (const char* key : {"options", "table", "scores", "sample", "merge_equivalent"})
      if (part.contains(key))
        fail(fmt::format("/networks/{}", key), fmt::format("'{}' needs a 'space'", key));
    NetworkSource source;
    source.named = part["named"];
    return source;
  }

  [[nodiscard]] NetworkTableSource network_table(const json& part) const {
    NetworkTableSource table;
    table.file = file(part["file"], "/networks/table/file");
    table.genotype = strings(part["genotype"]);
    table.id = part.value("id", "");
    if (part.contains("require")) table.require = part["require"];
    table.where = where(part);
    return table;
  }

  // The one source that `part` names.
  [[nodiscard]] AccuracyChoice source(const json& part, const std::string& at,
                                      NetworkSource& networks) const {
    AccuracyChoice choice;
    for (const AccuracyKind kind : kAccuracyKinds) {
      if (!part.contains(name_of(kind))) continue;
      if (choice.kind != AccuracyKind::none)
        fail(at, fmt::format("accuracies come from one source, here from both '{}' and '{}'",
                             name_of(choice.kind), name_of(kind)));
      choice.kind = kind;
    }
    if (choice.kind == AccuracyKind::none)
      fail(at, "no source: give 'table', 'predictor', 'train', 'score' or 'supernet'");
    const std::string pointer = at + "/" + std::string(name_of(choice.kind));
    const json& value = part[std::string(name_of(choice.kind))];
    choice.key = datasets::key_path(pointer);
    choice.where = document_.location_of_key(pointer);
    if (networks.space.empty())
      fail(pointer, "named networks have no accuracies: give 'networks' a 'space'");
    switch (choice.kind) {
      case AccuracyKind::table:
        set_column(value, pointer, networks);
        break;
      case AccuracyKind::predictor:
        choice.file = file(value, pointer);
        break;
      case AccuracyKind::train:
        set_training(value, pointer, choice);
        break;
      case AccuracyKind::score:
        choice.score = located(pointer, [&] { return nas::score_named(value.get<std::string>()); });
        break;
      default:
        choice.file = file(value["file"], pointer + "/file");
        set_images(value, pointer, choice);
    }
    return choice;
  }

  void set_column(const json& column, const std::string& at, NetworkSource& networks) const {
    constexpr const char* kEmbeddedColumn = "accuracy_percent";
    if (networks.table)
      networks.table->accuracy = column;
    else if (!networks.embedded_table)
      fail(at, "the study has no table: name it in 'networks.table'");
    else if (column != kEmbeddedColumn)
      fail(at, fmt::format("the embedded table's column of accuracies is '{}'", kEmbeddedColumn));
  }

  void set_images(const json& part, const std::string& at, AccuracyChoice& choice) const {
    choice.images = file(part["images"], at + "/images");
    if (part.contains("array_layout"))
      choice.array_layout = datasets::array_layout_named(part["array_layout"].get<std::string>());
  }

  void set_training(const json& part, const std::string& at, AccuracyChoice& choice) const {
    set_images(part, at, choice);
    nas::TrainingRecipe& recipe = choice.recipe;
    const auto set = [&](const char* key, auto& value) {
      if (part.contains(key)) part[key].get_to(value);
    };
    set("training_images", recipe.training_images);
    set("epochs", recipe.epochs);
    if (part.contains("batch")) recipe.batches = batches_in(part["batch"]);
    set("learning_rate", recipe.learning_rate);
    set("warmup", recipe.warmup_fraction);
    set("momentum", recipe.momentum);
    set("weight_decay", recipe.weight_decay);
    set("label_smoothing", recipe.label_smoothing);
    set("crop_padding", recipe.crop_padding);
    set("flip", recipe.horizontal_flip);
    set("patience", recipe.patience);
    set("validation_images", recipe.validation_images);
    if (part.contains("optimiser"))
      recipe.optimiser = nas::optimiser_named(part["optimiser"].get<std::string>());
    if (part.value("device", "cpu") == "cuda") choice.device = nas::Device::cuda;
  }

  void set_accuracy(const json& part, Study& study) const {
    AccuracySourcing& accuracy = study.accuracy;
    accuracy.first = source(part, "/accuracy", study.networks);
    if (!part.contains("then")) return;
    const AccuracyKind first = accuracy.first.kind;
    accuracy.then = source(part["then"], "/accuracy/then", study.networks);
    const AccuracyKind then = accuracy.then->kind;
    if (first == AccuracyKind::train || first == AccuracyKind::score)
      fail("/accuracy/then",
           fmt::format("nothing comes after '{}': a front is searched with a 'table', 'predictor' "
                       "or 'supernet' first",
                       name_of(first)));
    if (then == AccuracyKind::score || then == first)
      fail("/accuracy/then",
           fmt::format("'{}' measures nothing that '{}' left open", name_of(then), name_of(first)));
    if (part["then"].contains("at_most")) accuracy.at_most = part["then"]["at_most"];
  }

  [[nodiscard]] CostTableSource costs(const json& part) const {
    CostTableSource table;
    table.file = file(part["file"], "/costs/file");
    table.network = strings(part["network"]);
    table.accelerator = strings(part["accelerator"]);
    table.latency = part.value("latency", "");
    table.energy = part.value("energy", "");
    if (table.latency.empty() && table.energy.empty())
      fail("/costs", "a table of costs has a 'latency' or an 'energy' column, or both");
    table.where = where(part);
    return table;
  }

  [[nodiscard]] AcceleratorSource accelerators(const json& part) const {
    AcceleratorSource source;
    if (part.contains("technology")) {
      const std::string at = "/accelerators/technology";
      source.technology = technology(part["technology"], at);
      located(at, [&] { return find_technology(source.technology); });
    }
    if (part.contains("named")) source.named = part["named"];
    for (std::size_t i = 0; i < source.named.size(); ++i)
      located(fmt::format("/accelerators/named/{}", i),
              [&] { return named_accelerator(source.named[i]); });
    if (part.contains("machines"))
      for (std::size_t i = 0; i < part["machines"].size(); ++i)
        source.machines.push_back(
            machine(part["machines"][i], fmt::format("/accelerators/machines/{}", i)));
    if (part.contains("grids"))
      for (std::size_t i = 0; i < part["grids"].size(); ++i)
        source.grids.push_back(read_grid(document_, fmt::format("/accelerators/grids/{}", i),
                                         [&](const std::string& text, const std::string& at) {
                                           return file(text, at).string();
                                         }));
    if (source.named.empty() && source.machines.empty() && source.grids.empty())
      fail("/accelerators", "no accelerator: give 'named' ones, 'machines', 'grids', or several");
    if (part.contains("sample")) source.sample = part["sample"];
    return source;
  }

  // A machine with its parameters; a file's path is relative to the study's folder.
  [[nodiscard]] std::string machine(const json& value, const std::string& at) const {
    return located(at, [&] {
      auto [name, parameters] = split_parameters(value);
      if (datasets::names_document(name)) name = file(name, at).string();
      const MachineFile machine(name);
      for (auto& [parameter, text] : parameters)
        if (parameter == machine.technology_parameter()) text = technology(text, at);
      static_cast<void>(machine.with(parameters));
      return name + shown_parameters(parameters);
    });
  }

  // A node as it is; a file's path is relative to the study's folder.
  [[nodiscard]] std::string technology(const std::string& what, const std::string& at) const {
    return names_technology_file(what) ? file(what, at).string() : what;
  }

  [[nodiscard]] MapperChoice mapping(const json& part, const AcceleratorSource& source) const {
    if (part.contains("objective"))
      located("/mapping/objective",
              [&] { return parse_objective(part["objective"].get<std::string>()); });
    const MapperChoice choice = mapping_of(part);
    std::vector<std::optional<accel::Dataflow>> dataflows;
    const auto add = [&](const std::string& what, const MachineDescription& machine) {
      require_rule(choice, what, machine.dataflow);
      dataflows.push_back(machine.dataflow);
    };
    located("/mapping/mapper", [&] {
      for (const std::string& what : source.named) add(what, find_accelerator(what));
      for (const std::string& what : source.machines) add(what, find_machine(what));
      for (const MachineGrid& grid : source.grids)
        add(grid.file().name(), grid.file().with(grid.at(0)));
    });
    if (part.contains("objective"))
      located("/mapping/objective", [&] { require_objective_is_heeded(choice, dataflows); });
    return choice;
  }

  [[nodiscard]] static std::vector<Objective> objectives(const json& root, AccuracyKind source) {
    if (!root.contains("objectives"))
      return {{source == AccuracyKind::score ? Metric::score : Metric::accuracy},
              {Metric::latency},
              {Metric::energy}};
    std::vector<Objective> objectives;
    for (const json& name : root["objectives"])
      objectives.push_back({*metric_named(name.get<std::string>())});
    return objectives;
  }

  [[nodiscard]] double bound(Metric metric, const json& value, const std::string& at) const {
    const bool is_percent = metric == Metric::accuracy && !value.is_string();
    const std::string text = is_percent ? value.dump() + "%" : cell(value);
    if (value.is_string() && takes_plain_number(metric))
      fail(at, fmt::format("'{}': {} takes a plain number", text, info_of(metric).name));
    return located(at, [&] { return parse_metric(metric, text); });
  }

  // The last two constraints are the sides of one metric: at_least, then at_most.
  void require_room(const std::vector<Constraint>& constraints, const std::string& at) const {
    const Constraint& least = constraints[constraints.size() - 2];
    const Constraint& most = constraints.back();
    if (least.bound > most.bound)
      fail(at, fmt::format("no design meets both {} and {}", describe(least), describe(most)));
  }

  [[nodiscard]] std::vector<Constraint> constraints(const json& part) const {
    std::vector<Constraint> constraints;
    for (const auto& [name, bounds] : part.items()) {
      const Metric metric = *metric_named(name);
      for (const auto& [side, value] : bounds.items())
        constraints.push_back(
            {.metric = metric,
             .bound = bound(metric, value, fmt::format("/constraints/{}/{}", name, side)),
             .at_most = side == "at_most"});
      if (bounds.size() == 2) require_room(constraints, "/constraints/" + name);
    }
    return constraints;
  }

  // Values are checked once the space is known; names can be checked now.
  [[nodiscard]] StrategyChoice strategy(const json& part, const std::string& at) const {
    StrategyChoice choice{.name = part["name"], .where = document_.location_of(at)};
    const StrategyInfo& info =
        located(at + "/name", [&]() -> const StrategyInfo& { return strategy_named(choice.name); });
    std::vector<std::string> known;
    for (const OptionInfo& option : info.options) known.push_back(option.name);
    for (const auto& [key, value] : part.items()) {
      if (key == "name") continue;
      const std::string pointer = at + "/" + key;
      if (std::ranges::find(known, key) == known.end())
        throw UserError(document_.location_of_key(pointer),
                        fmt::format("strategy {} has no option '{}'{}", choice.name, key,
                                    did_you_mean(key, known)));
      choice.options[key] = cell(value);
      choice.option_where[key] = document_.location_of(pointer);
    }
    return choice;
  }

  [[nodiscard]] GapOptions gap(const json& part) const {
    GapOptions gap;
    gap.latency_limits = part.value("latency_limits", gap.latency_limits);
    gap.energy_limits = part.value("energy_limits", gap.energy_limits);
    for (std::size_t i = 0; i < part["strategies"].size(); ++i)
      gap.strategies.push_back(
          strategy(part["strategies"][i], fmt::format("/gap/strategies/{}", i)));
    return gap;
  }

  const datasets::Document& document_;
  const Definitions& definitions_;
};

}  // namespace

double parse_metric(Metric metric, const std::string& text) {
  switch (metric) {
    case Metric::latency:
      return static_cast<double>(datasets::parse_cycles(text).value);
    case Metric::energy:
      return datasets::parse_picojoules(text).value;
    case Metric::area:
      return datasets::parse_square_millimetres(text).value;
    case Metric::time:
      return datasets::parse_seconds(text);
    case Metric::accuracy: {
      constexpr std::string_view kExpected = "a percentage in [0, 100] such as 90%";
      const double percent = number(text, "%", kExpected);
      if (percent >= 0 && percent <= 100) return percent;
      throw UserError(fmt::format("'{}': expected {}", text, kExpected));
    }
    default:
      return number(text, "", "a plain number");
  }
}

std::vector<int> batches_in(const json& value) {
  if (value.is_array()) return value.get<std::vector<int>>();
  return {value.get<int>()};
}

std::string_view name_of(AccuracyKind kind) {
  constexpr std::array<std::string_view, 6> kNames{"",      "table", "predictor",
                                                   "train", "score", "supernet"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::vector<std::filesystem::path> input_files(const Study& study) {
  std::vector<std::filesystem::path> files{study.file};
  const auto add = [&](const std::filesystem::path& file) {
    if (!file.empty()) files.push_back(file);
  };
  const auto add_yaml = [&](const std::string& what) {
    if (datasets::names_document(what)) add(what);
  };
  const NetworkSource& networks = study.networks;
  add_yaml(networks.space);
  for (const std::string& network : networks.named) {
    add_yaml(network);
    add_yaml(split_genotype(network).first);
  }
  if (networks.table) add(networks.table->file);
  if (networks.scores) add(networks.scores->file);
  if (study.costs) add(study.costs->file);
  add(study.accuracy.first.file);
  add(study.accuracy.first.images);
  if (study.accuracy.then) {
    add(study.accuracy.then->file);
    add(study.accuracy.then->images);
  }
  const auto add_machine = [&](const MachineFile& machine) {
    add_yaml(machine.name());
    for (const auto& [path, text] : machine.technology_files()) add(path);
  };
  if (names_technology_file(study.accelerators.technology)) add(study.accelerators.technology);
  for (const std::string& what : study.accelerators.machines) {
    const auto [name, parameters] = split_parameters(what);
    const MachineFile machine(name);
    static_cast<void>(machine.with(parameters));
    add_machine(machine);
  }
  for (const MachineGrid& grid : study.accelerators.grids) add_machine(grid.file());
  return files;
}

datasets::Document in_newest_version(datasets::Document document) {
  json& root = document.value;
  if (!root.is_object() || !root.contains("schema_version") || root["schema_version"] != 1)
    return document;
  if (root.contains("accuracy"))
    throw UserError(document.location_of_key("/accuracy"),
                    "'accuracy' is a key of schema_version 2: write that");
  root["schema_version"] = 2;
  const json::json_pointer at("/networks/table");
  if (!root.contains(at)) return document;
  const auto move_to_accuracy = [&](const std::string& pointer, json column) {
    root["accuracy"] = {{"table", std::move(column)}};
    const auto place = document.places.find(pointer);
    if (place == document.places.end()) return;
    document.places["/accuracy"] = document.places["/accuracy/table"] = place->second;
  };
  json& table = root[at];
  if (table == "embedded") {
    move_to_accuracy("/networks/table", "accuracy_percent");
  } else if (table.is_object() && table.contains("accuracy")) {
    move_to_accuracy("/networks/table/accuracy", table["accuracy"]);
    table.erase("accuracy");
  }
  return document;
}

MapperChoice mapping_of(const json& part) {
  MapperChoice choice;
  if (part.contains("mapper")) choice.mapper = parse_mapper(part["mapper"].get<std::string>());
  if (part.contains("objective"))
    choice.objective = parse_objective(part["objective"].get<std::string>());
  return choice;
}

Study read_study(const std::filesystem::path& path, const Definitions& definitions) {
  const datasets::Document document = in_newest_version(datasets::read_yaml(path));
  datasets::validate(document, kStudySchema);
  Study study = StudyReader(document, definitions).read();
  study.text = document.text;
  return study;
}

}  // namespace cosearch::codesign
