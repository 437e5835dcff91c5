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

// Reads the columns of a technology's constants from one row.
accel::TechnologyRow technology_row(const datasets::Table& table, std::size_t row) {
  return {.constant = table.text(row, table.column("constant")),
          .value = table.number(row, table.column("value")),
          .unit = table.text(row, table.column("unit")),
          .source = table.text(row, table.column("source")),
          .line = table.line(row)};
}

accel::TechnologyTable read_technology(const datasets::Table& table) {
  std::vector<accel::TechnologyRow> rows;
  for (std::size_t row = 0; row < table.rows(); ++row) rows.push_back(technology_row(table, row));
  return accel::technology_from_rows(table.name(), rows);
}

accel::TechnologyTable technology_45nm() {
  return read_technology(datasets::Table::parse(accel::kTechnology45nm, "technology 45nm"));
}

const std::vector<accel::TechnologyScaling>& scalings() {
  static const std::vector<accel::TechnologyScaling> all = [] {
    const auto table = datasets::Table::parse(accel::kTechnologyScaling, "technology scaling");
    std::vector<accel::ScalingRow> rows;
    for (std::size_t row = 0; row < table.rows(); ++row)
      rows.push_back(
          {static_cast<int>(table.integer(row, table.column("node"))), technology_row(table, row)});
    return accel::scalings_from_rows(table.name(), rows);
  }();
  return all;
}

std::string name_of(const accel::TechnologyScaling& scaling) {
  return fmt::format("{}nm", scaling.node_nm);
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

std::vector<std::string> technology_names() {
  std::vector<std::string> names;
  for (const accel::TechnologyScaling& scaling : scalings()) names.push_back(name_of(scaling));
  return names;
}

accel::TechnologyTable find_technology(const std::string& what) {
  if (what == "45nm") return technology_45nm();
  const auto at = [](const std::string& name) {
    return std::ranges::find(scalings(), name, [](const auto& s) { return name_of(s); });
  };
  if (const auto found = at(what); found != scalings().end())
    return accel::scaled(technology_45nm(), *at("45nm"), *found);
  if (std::filesystem::path(what).extension() != ".csv" && what.ends_with("nm"))
    throw UserError(
        fmt::format("no technology '{}' (expected the path of a CSV file, or one of: "
                    "{})",
                    what, fmt::join(technology_names(), ", ")));
  return read_technology(datasets::Table::read(what));
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

  return read_accelerator(datasets::read_yaml(path));
}

accel::Accelerator read_accelerator(const datasets::Document& document) {
  datasets::validate(document, kAcceleratorSchema);
  std::string technology = document.value.value("technology", "45nm");
  const std::vector<std::string> known = technology_names();
  if (std::ranges::find(known, technology) == known.end())
    technology = std::filesystem::path(document.file).parent_path() / technology;
  return accel::make_accelerator(document.value["name"], read_grid(document, "").at(0),
                                 find_technology(technology));
}

}  // namespace cosearch::codesign
