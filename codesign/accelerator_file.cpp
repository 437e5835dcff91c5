#include "codesign/accelerator_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "accel/machine_zoo.h"
#include "codesign/technology_file.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

using datasets::child_pointer;
using nlohmann::json;

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// Equal for two spellings of one quantity.
std::string canonical_quantity(const std::string& text) {
  for (const char* unit : kParameterUnits)
    if (const double number = number_in_unit(text, unit); !std::isnan(number))
      return fmt::format("{} {}", number, unit);
  return text;
}

// Reads a grid from one part of a document.
class GridReader {
 public:
  GridReader(const datasets::Document& document, std::string pointer, const PathOf& path_of)
      : document_(document),
        path_of_(path_of),
        pointer_(std::move(pointer)),
        part_(document.value.at(json::json_pointer(pointer_))) {}

  [[nodiscard]] MachineGrid read(std::shared_ptr<const MachineFile> file,
                                 const std::vector<std::string>& other_keys) const {
    const auto is_other = [&](const std::string& key) {
      return std::ranges::find(other_keys, key) != other_keys.end();
    };
    MachineGrid::Values values;
    for (const auto& [name, value] : file->parameters())
      if (part_.contains(name) && !is_other(name))
        values.emplace_back(name, texts(name, name == file->technology_parameter()));
    check_names(*file, is_other);
    MachineGrid grid(std::move(file), std::move(values));
    check_values(grid);
    return grid;
  }

 private:
  /// Where the value number `i` of a parameter is.
  [[nodiscard]] std::string place_of(const std::string& name, std::size_t i) const {
    const std::string at = child_pointer(pointer_, name);
    return part_[name].is_array() ? child_pointer(at, std::to_string(i)) : at;
  }

  [[nodiscard]] std::vector<std::string> texts(const std::string& name, bool is_technology) const {
    std::vector<std::string> texts;
    if (part_[name].is_array())
      for (const json& one : part_[name]) texts.push_back(text_of(one));
    else
      texts.push_back(text_of(part_[name]));
    std::set<std::string> seen;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (is_technology && names_technology_file(texts[i]))
        texts[i] = path_of_(texts[i], place_of(name, i));
      if (!seen.insert(canonical_quantity(texts[i])).second)
        throw UserError(
            document_.location_of(place_of(name, i)),
            fmt::format("{} = {} stands here twice: leave one of them out", name, texts[i]));
    }
    return texts;
  }

  template <class IsOther>
  void check_names(const MachineFile& file, const IsOther& is_other) const {
    std::vector<std::string> known;
    for (const auto& [name, value] : file.parameters()) known.push_back(name);
    for (const auto& [key, value] : part_.items()) {
      if (!is_other(key) && std::ranges::find(known, key) == known.end())
        throw UserError(document_.location_of_key(child_pointer(pointer_, key)),
                        fmt::format("{} has no parameter '{}'{}", file.name(), key,
                                    known.empty() ? "" : did_you_mean(key, known)));
    }
  }

  // The first member, then each further value in the place of that member's.
  void check_values(const MachineGrid& grid) const {
    const ParameterValues first = grid.at(0);
    check(grid.file(), first, "", "");
    for (std::size_t p = 0; p < first.size(); ++p) {
      const auto& [name, texts] = grid.values()[p];
      for (std::size_t i = 1; i < texts.size(); ++i) {
        ParameterValues values = first;
        values[p].second = texts[i];
        check(grid.file(), values, place_of(name, i), fmt::format("{} = {}: ", name, texts[i]));
      }
    }
  }

  /// `what`: the value at `at` that is tried; empty where all are.
  void check(const MachineFile& file, const ParameterValues& values, const std::string& at,
             const std::string& what) const {
    const auto blamed = [&] {
      return what.empty() ? first_to_blame(file, values) : std::pair(at, what);
    };
    try {
      static_cast<void>(file.with(values));
    } catch (const FileError& error) {
      const auto [place, guilty] = blamed();
      throw FileError(document_.location_of(place), guilty + error.what());
    } catch (const UserError& error) {
      const auto [place, guilty] = blamed();
      throw UserError(document_.location_of(place), guilty + error.what());
    }
  }

  // The place and text of the value that fails by itself; of the whole part when none does.
  [[nodiscard]] std::pair<std::string, std::string> first_to_blame(
      const MachineFile& file, const ParameterValues& values) const {
    for (const auto& [name, text] : values) {
      try {
        static_cast<void>(file.with({{name, text}}));
      } catch (const UserError&) {
        return {place_of(name, 0), fmt::format("{} = {}: ", name, text)};
      }
    }
    return {pointer_, ""};
  }

  const datasets::Document& document_;
  const PathOf& path_of_;
  std::string pointer_;
  const json& part_;
};

std::vector<std::string> template_names() {
  std::vector<std::string> names;
  for (const accel::Dataflow dataflow : accel::kDataflows) names.emplace_back(name_of(dataflow));
  return names;
}

std::shared_ptr<const MachineFile> template_at(const datasets::Document& document,
                                               const std::string& pointer) {
  const std::string name = document.value.at(json::json_pointer(pointer));
  const std::vector<std::string> known = template_names();
  if (std::ranges::find(known, name) == known.end())
    throw UserError(document.location_of(pointer),
                    fmt::format("no template '{}'{}", name, did_you_mean(name, known)));
  return std::make_shared<const MachineFile>(name);
}

}  // namespace

AcceleratorSpec named_accelerator(const std::string& name) {
  std::vector<std::string> known;
  for (const accel::NamedAccelerator& named : accel::named_accelerators()) {
    known.emplace_back(named.name);
    if (named.name != name) continue;
    auto [machine, parameters] = split_parameters(std::string(named.machine));
    return {name, std::move(machine), std::move(parameters)};
  }
  throw UserError(fmt::format("no accelerator '{}'{}", name, did_you_mean(name, known)));
}

AcceleratorSpec read_accelerator(const datasets::Document& document) {
  datasets::validate(document, kAcceleratorSchema);
  const auto file = template_at(document, "/template");
  const PathOf beside = [&](const std::string& path, const std::string&) {
    return (std::filesystem::path(document.file).parent_path() / path).string();
  };
  const MachineGrid grid =
      GridReader(document, "", beside).read(file, {"kind", "schema_version", "name", "template"});
  return {document.value["name"], file->name(), grid.at(0)};
}

AcceleratorSpec accelerator_spec(const std::string& what) {
  return datasets::names_document(what) ? read_accelerator(datasets::read_yaml(what))
                                        : named_accelerator(what);
}

MachineDescription find_accelerator(const std::string& what) {
  const AcceleratorSpec spec = accelerator_spec(what);
  MachineDescription description = MachineFile(spec.machine).with(spec.parameters);
  description.machine.name = spec.name;
  return description;
}

double MachineGrid::size() const {
  double size = 1;
  for (const auto& [name, texts] : values_) size *= static_cast<double>(texts.size());
  return size;
}

ParameterValues MachineGrid::at(std::uint64_t index) const {
  ParameterValues values(values_.size());
  for (std::size_t p = values_.size(); p-- > 0;) {
    const auto& [name, texts] = values_[p];
    values[p] = {name, texts[index % texts.size()]};
    index /= texts.size();
  }
  return values;
}

MachineGrid read_grid(const datasets::Document& document, const std::string& pointer,
                      const PathOf& path_of) {
  const json& part = document.value.at(json::json_pointer(pointer));
  if (part.contains("template") == part.contains("machine"))
    throw UserError(document.location_of(pointer),
                    "a grid has either a 'template' or a 'machine'; give one of the two");
  std::shared_ptr<const MachineFile> file;
  if (part.contains("template")) {
    file = template_at(document, pointer + "/template");
  } else {
    const std::string at = pointer + "/machine";
    const std::string name = part["machine"];
    const std::string path = datasets::names_document(name) ? path_of(name, at) : name;
    try {
      file = std::make_shared<const MachineFile>(path);
    } catch (const FileError& error) {
      throw FileError(document.location_of(at), error.what());
    } catch (const UserError& error) {
      throw UserError(document.location_of(at), error.what());
    }
  }
  return GridReader(document, pointer, path_of).read(std::move(file), {"template", "machine"});
}

}  // namespace cosearch::codesign
