#include "codesign/accelerator_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "core/user_error.h"
#include "datasets/quantity_text.h"
#include "datasets/table.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

datasets::Table technology_rows(const std::string& what) {
  if (what == "45nm") return datasets::Table::parse(accel::kTechnology45nm, "technology 45nm");
  return datasets::Table::read(what);
}

// Fills the choices of a template from one part of a document; what is absent keeps its default.
class ChoicesReader {
 public:
  ChoicesReader(const datasets::Document& document, std::string pointer)
      : document_(document),
        pointer_(std::move(pointer)),
        part_(document.value.at(json::json_pointer(pointer_))) {}

  [[nodiscard]] accel::AcceleratorChoices read() const {
    accel::AcceleratorChoices choices;
    choices.template_name = part_["template"];
    check_template(choices.template_name);
    read_numbers("pe_rows", choices.pe_rows);
    read_numbers("pe_columns", choices.pe_columns);
    read_quantities("pe_buffer", datasets::parse_bytes, choices.pe_buffer);
    read_quantities("shared_buffer", datasets::parse_bytes, choices.shared_buffer);
    read_quantities("noc_bandwidth", datasets::parse_bytes_per_cycle, choices.noc_bandwidth);
    read_quantities("dram_bandwidth", datasets::parse_bytes_per_cycle, choices.dram_bandwidth);
    read_quantities("clock", datasets::parse_hertz, choices.clock);
    read_numbers("precision", choices.precision_bits);
    if (const auto problems = accel::problems_in(choices); !problems.empty())
      throw UserError(document_.location_of(pointer_),
                      fmt::format("{}", fmt::join(problems, "; ")));
    return choices;
  }

 private:
  void check_template(const std::string& name) const {
    const std::vector<std::string> known = accel::template_names();
    if (std::ranges::find(known, name) == known.end())
      throw UserError(document_.location_of(pointer_ + "/template"),
                      fmt::format("no template '{}'{}", name, did_you_mean(name, known)));
  }

  template <class Number>
  void read_numbers(const std::string& key, std::vector<Number>& values) const {
    if (!part_.contains(key)) return;
    values = part_[key].is_array() ? part_[key].get<std::vector<Number>>()
                                   : std::vector<Number>{part_[key].get<Number>()};
  }

  template <class Quantity>
  void read_quantities(const std::string& key,
                       Quantity (*parse)(std::string_view, const SourceLocation&),
                       std::vector<Quantity>& values) const {
    if (!part_.contains(key)) return;
    values.clear();
    const std::string at = pointer_ + "/" + key;
    if (!part_[key].is_array()) {
      values.push_back(parse(part_[key].get<std::string>(), document_.location_of(at)));
      return;
    }
    for (std::size_t i = 0; i < part_[key].size(); ++i)
      values.push_back(parse(part_[key][i].get<std::string>(),
                             document_.location_of(fmt::format("{}/{}", at, i))));
  }

  const datasets::Document& document_;
  std::string pointer_;
  const json& part_;
};

}  // namespace

accel::TechnologyTable find_technology(const std::string& what) {
  const datasets::Table table = technology_rows(what);
  const std::size_t constant = table.column("constant"), value = table.column("value"),
                    unit = table.column("unit"), source = table.column("source");
  std::vector<accel::TechnologyRow> rows;
  for (std::size_t row = 0; row < table.rows(); ++row)
    rows.push_back({.constant = table.text(row, constant),
                    .value = table.number(row, value),
                    .unit = table.text(row, unit),
                    .source = table.text(row, source),
                    .line = table.line(row)});
  return accel::technology_from_rows(table.name(), rows);
}

accel::AcceleratorParameters named_parameters(const std::string& name) {
  std::vector<std::string> known;
  for (const accel::NamedAccelerator& named : accel::named_accelerators()) {
    if (named.name == name) return named.parameters;
    known.push_back(named.name);
  }
  throw UserError(fmt::format("no accelerator '{}'{}", name, did_you_mean(name, known)));
}

accel::AcceleratorSpace read_grid(const datasets::Document& document, const std::string& pointer) {
  return accel::AcceleratorSpace(ChoicesReader(document, pointer).read());
}

accel::Accelerator find_accelerator(const std::string& what) {
  const std::filesystem::path path(what);
  const bool is_file =
      path.extension() == ".yaml" || path.extension() == ".yml" || path.extension() == ".json";
  if (!is_file)
    return accel::make_accelerator(what, named_parameters(what), find_technology("45nm"));

  const datasets::Document document = datasets::read_yaml(path);
  datasets::validate(document, kAcceleratorSchema);
  std::string technology = document.value.value("technology", "45nm");
  if (technology != "45nm") technology = path.parent_path() / technology;
  return accel::make_accelerator(document.value["name"], read_grid(document, "").at(0),
                                 find_technology(technology));
}

}  // namespace cosearch::codesign
