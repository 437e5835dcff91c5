#include "codesign/accelerator_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

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

// Reads a grid from one part of a document.
class GridReader {
 public:
  GridReader(const datasets::Document& document, std::string pointer)
      : document_(document),
        pointer_(std::move(pointer)),
        part_(document.value.at(json::json_pointer(pointer_))) {}

  [[nodiscard]] MachineGrid read(std::shared_ptr<const MachineFile> file,
                                 const std::vector<std::string>& other_keys) const {
    const auto is_other = [&](const std::string& key) {
      return std::ranges::find(other_keys, key) != other_keys.end();
    };
    MachineGrid::Values values;
    for (const auto& [name, value] : file->parameters())
      if (part_.contains(name) && !is_other(name)) values.emplace_back(name, texts(part_[name]));
    check_names(*file, is_other);
    MachineGrid grid(std::move(file), std::move(values));
    check_values(grid);
    return grid;
  }

 private:
  static std::vector<std::string> texts(const json& value) {
    if (!value.is_array()) return {text_of(value)};
    std::vector<std::string> texts;
    for (const json& one : value) texts.push_back(text_of(one));
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
    check(grid.file(), first, pointer_, "");
    for (std::size_t p = 0; p < first.size(); ++p) {
      const auto& [name, texts] = grid.values()[p];
      for (std::size_t i = 1; i < texts.size(); ++i) {
        ParameterValues values = first;
        values[p].second = texts[i];
        check(grid.file(), values, child_pointer(child_pointer(pointer_, name), std::to_string(i)),
              fmt::format("{} = {}: ", name, texts[i]));
      }
    }
  }

  void check(const MachineFile& file, const ParameterValues& values, const std::string& at,
             const std::string& what) const {
    try {
      static_cast<void>(file.with(values));
    } catch (const FileError& error) {
      throw FileError(document_.location_of(at), what + error.what());
    } catch (const UserError& error) {
      const auto [place, guilty] =
          what.empty() ? first_to_blame(file, values) : std::pair(at, what);
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
        const std::string at = child_pointer(pointer_, name);
        return {part_[name].is_array() ? child_pointer(at, "0") : at,
                fmt::format("{} = {}: ", name, text)};
      }
    }
    return {pointer_, ""};
  }

  const datasets::Document& document_;
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

bool is_file(const std::string& what) {
  const std::string extension = std::filesystem::path(what).extension();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
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
  const MachineGrid grid =
      GridReader(document, "")
          .read(file, {"kind", "schema_version", "name", "template", "technology"});
  AcceleratorSpec spec{document.value["name"], file->name(), grid.at(0)};
  if (!document.value.contains("technology")) return spec;
  std::string technology = document.value["technology"];
  const std::vector<std::string> known = technology_names();
  if (std::ranges::find(known, technology) == known.end())
    technology = std::filesystem::path(document.file).parent_path() / technology;
  std::erase_if(spec.parameters, [](const auto& value) { return value.first == "technology"; });
  spec.parameters.emplace_back("technology", technology);
  return spec;
}

AcceleratorSpec accelerator_spec(const std::string& what) {
  return is_file(what) ? read_accelerator(datasets::read_yaml(what)) : named_accelerator(what);
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
                      const std::function<std::string(const std::string& file,
                                                      const std::string& pointer)>& path_of) {
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
    const std::string path = is_file(name) ? path_of(name, at) : name;
    try {
      file = std::make_shared<const MachineFile>(path);
    } catch (const FileError& error) {
      throw FileError(document.location_of(at), error.what());
    } catch (const UserError& error) {
      throw UserError(document.location_of(at), error.what());
    }
  }
  return GridReader(document, pointer).read(std::move(file), {"template", "machine"});
}

}  // namespace cosearch::codesign
