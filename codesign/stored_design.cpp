#include "codesign/stored_design.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "codesign/accelerator_set.h"
#include "codesign/metrics.h"
#include "codesign/network_file.h"
#include "codesign/space_file.h"
#include "codesign/study.h"
#include "core/user_error.h"
#include "datasets/document.h"
#include "datasets/front_file.h"
#include "datasets/partial_file.h"
#include "nas/space.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

// Where a file describes the space: beside the study that names it.
const std::string kSpaceFile = "space.yaml";

// How a parameter's unit is spelt where people write it.
std::string written_unit(const std::string& unit) {
  if (unit == "bytes") return "B";
  if (unit == "bytes/cycle") return "B/cycle";
  return unit == "bits" ? "" : unit;
}

std::string quoted(const std::string& text) { return json(text).dump(); }

}  // namespace

StoredDesign::StoredDesign(const datasets::StudyStore& store, std::uint64_t id)
    : point_(store.points_with(std::vector<std::uint64_t>{id})),
      metrics_(store.metrics()),
      network_(store.networks().at(point_.network[0])),
      name_(store.header().name),
      space_file_(store.header().space_file),
      objectives_(store.front().objectives) {
  if (point_.accelerator[0] == datasets::kNoStoredAccelerator)
    throw UserError(fmt::format("point {} is the network {} alone, without an accelerator", id,
                                network_.genotype));
  const datasets::AcceleratorTable table = store.accelerators();
  parameters_ = table.parameters;
  accelerator_ = table.rows.at(point_.accelerator[0]);
  strategy_ = store.header().strategies.at(point_.strategy[0]);
  accuracy_source_ = store.header().accuracy_sources.at(point_.accuracy_source[0]);
  for (std::size_t i = 0; i < metrics_.size(); ++i)
    if (metrics_[i].name == info_of(Metric::accuracy).name) accuracy_ = point_.metrics[i][0];
  reason_ = store.result().reasons.at(point_.reason[0]);
  const json study = datasets::parse_yaml(store.header().configuration, "the stored study").value;
  space_options_ = study.value(json::json_pointer("/networks/options"), json::object()).dump();
  const json texts = texts_of(accelerator_);
  for (const auto& [name, text] : texts.items())
    text_parameters_.emplace_back(name, text.get<std::string>());
  if (texts.empty() && !is_named_in_full())  // of a program that stored numbers alone
    text_parameters_.emplace_back(
        "technology",
        study.value(json::json_pointer("/accelerators/technology"), std::string("45nm")));
  if (study.contains("mapping")) {
    mapping_text_ = study["mapping"].dump();
    mapping_ = mapping_of(study["mapping"]);
  }
  machine_files_ = store.header().machine_files;
}

std::vector<std::pair<std::string, std::string>> StoredDesign::facts() const {
  std::vector<std::pair<std::string, std::string>> facts{
      {"point", fmt::format("{}", point_.id[0])},
      {"network",
       network_.space.empty() ? network_.genotype : network_.space + ":" + network_.genotype},
      {"accelerator", fmt::format("{} ({})", accelerator_.name, accelerator_.template_name)}};
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (!std::isnan(accelerator_.parameters[i]))
      facts.emplace_back("  " + parameters_[i].name,
                         fmt::format("{} {}", accelerator_.parameters[i], parameters_[i].unit));
  for (const auto& [name, text] : text_parameters_) facts.emplace_back("  " + name, text);
  for (std::size_t i = 0; i < metrics_.size(); ++i)
    if (!std::isnan(point_.metrics[i][0]))
      facts.emplace_back(metrics_[i].name,
                         fmt::format("{} {}", point_.metrics[i][0], metrics_[i].unit));
  if (!accuracy_source_.empty()) facts.emplace_back("accuracy source", accuracy_source_);
  if (!std::isnan(point_.accuracy_spread[0]))
    facts.emplace_back("accuracy spread", fmt::format("{} percent", point_.accuracy_spread[0]));
  facts.emplace_back("feasible", point_.feasible[0] == 1 ? "yes" : "no");
  if (!reason_.empty()) facts.emplace_back("cannot run", reason_);
  facts.emplace_back("proposed by", fmt::format("{}, step {}", strategy_, point_.step[0]));
  return facts;
}

Network StoredDesign::network() const {
  if (network_.space.empty()) return find_network(network_.genotype);
  const auto options = json::parse(space_options_).get<nas::SpaceOptions>();
  return make_space({network_.space, space_file_}, options)->lower(network_.genotype);
}

bool StoredDesign::is_named_in_full() const {
  const std::string& family = accelerator_.template_name;
  return accelerator_.name == family || accelerator_.name.starts_with(family + ":");
}

bool StoredDesign::is_written_as_template() const {
  return !is_named_in_full() && std::ranges::none_of(text_parameters_, [&](const auto& value) {
    return machine_files_.contains(value.second);
  });
}

ParameterValues StoredDesign::parameter_values() const {
  ParameterValues values;
  if (is_named_in_full())
    values = split_parameters(accelerator_.name).second;
  else
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      if (!std::isnan(accelerator_.parameters[i]))
        values.emplace_back(parameters_[i].name, fmt::format("{}{}", accelerator_.parameters[i],
                                                             written_unit(parameters_[i].unit)));
  for (const auto& parameter : text_parameters_)
    if (std::ranges::find(values, parameter.first, &ParameterValues::value_type::first) ==
        values.end())
      values.push_back(parameter);
  return values;
}

MachineDescription StoredDesign::accelerator() const {
  const std::string& family = accelerator_.template_name;
  const auto stored = machine_files_.find(family);
  const MachineFile file =
      stored == machine_files_.end()
          ? MachineFile(family, machine_files_)
          : MachineFile(datasets::parse_yaml(stored->second, family), machine_files_);
  MachineDescription description = file.with(parameter_values());
  description.machine.name = accelerator_.name;
  return description;
}

std::string StoredDesign::accelerator_yaml(const std::string& indent) const {
  std::string text = fmt::format("{}template: {}\n", indent, accelerator_.template_name);
  for (const auto& [name, value] : parameter_values())
    text += fmt::format("{}{}: {}\n", indent, name, value);
  return text;
}

std::string StoredDesign::study_yaml() const {
  const bool has_accuracy = !std::isnan(accuracy_) && !network_.space.empty();
  std::string text = fmt::format("kind: study\nschema_version: 2\nname: {}\nnetworks:\n",
                                 quoted(fmt::format("point {} of {}", point_.id[0], name_)));
  if (network_.space.empty())
    text += fmt::format("  named: [{}]\n", quoted(network_.genotype));
  else
    text +=
        fmt::format("  space: {}\n{}  table: {{file: network.csv, genotype: genotype}}\n{}",
                    space_file_.empty() ? network_.space : kSpaceFile,
                    space_options_ == "{}" ? "" : fmt::format("  options: {}\n", space_options_),
                    has_accuracy ? "accuracy: {table: accuracy}\n" : "");
  if (is_written_as_template())
    text += "accelerators:\n  grids:\n    -\n" + accelerator_yaml("      ");
  else
    text += "accelerators:\n  machines: [machine.yaml]\n";
  // A template alone has nobody to heed an objective.
  if (!mapping_text_.empty())
    text += fmt::format("mapping: {}\n",
                        mapping_.for_machine_with(accelerator().dataflow) == Mapper::template_rule
                            ? R"({"mapper": "template"})"
                            : mapping_text_);
  // A score may be of a table that does not come along.
  std::vector<std::string> objectives = objectives_;
  std::erase(objectives, info_of(Metric::score).name);
  if (objectives.empty()) objectives.emplace_back(info_of(Metric::latency).name);
  return text + fmt::format("objectives: [{}]\nstrategy: {{name: exhaustive}}\n",
                            fmt::join(objectives, ", "));
}

void StoredDesign::write_files(const std::filesystem::path& folder) const {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw FileError({folder.string()}, "cannot make this folder: " + error.message());
  if (is_written_as_template())
    datasets::write_file(folder / "accelerator.yaml",
                         fmt::format("kind: accelerator\nschema_version: 1\nname: {}\n{}",
                                     quoted(accelerator_.name), accelerator_yaml("")));
  else
    datasets::write_file(folder / "machine.yaml", write_machine(accelerator()));
  datasets::write_file(folder / "network.yaml", write_network(network()));
  datasets::write_file(folder / "study.yaml", study_yaml());
  if (network_.space.empty()) return;
  if (!space_file_.empty()) datasets::write_file(folder / kSpaceFile, space_file_);
  datasets::Columns table{{{"genotype", "", std::vector<std::string>{network_.genotype}}}};
  if (!std::isnan(accuracy_))
    table.columns.push_back({"accuracy", "", std::vector<double>{accuracy_}});
  datasets::write_csv(folder / "network.csv", table);
}

}  // namespace cosearch::codesign
