#include "codesign/machine_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "accel/machine_costs.h"
#include "accel/machine_zoo.h"
#include "codesign/constraints_file.h"
#include "codesign/technology_file.h"
#include "core/user_error.h"
#include "datasets/quantity_text.h"

namespace cosearch::codesign {
namespace {

using datasets::child_pointer;
using nlohmann::json;

/// One map of a document, whose quantities are read by name; `part` says in messages whose they
/// are.
class Fields {
 public:
  Fields(const datasets::Document& document, std::string pointer, std::string part)
      : document_(document),
        pointer_(std::move(pointer)),
        part_(std::move(part)),
        value_(document.value.at(json::json_pointer(pointer_))) {}

  [[nodiscard]] bool has(const std::string& key) const { return value_.contains(key); }
  [[nodiscard]] const json& at(const std::string& key) const { return value_.at(key); }
  [[nodiscard]] SourceLocation where(const std::string& key) const {
    return document_.location_of(child_pointer(pointer_, key));
  }
  [[noreturn]] void fail(const std::string& key, const std::string& problem) const {
    throw UserError(where(key), fmt::format("{}, {}: {}", part_, key, problem));
  }

  /// Reads the text at `key`, if any, with one of the readers of datasets/quantity_text.h. A number
  /// alone goes there too, which then says what unit it lacks.
  template <class Parse, class Value>
  void read(const std::string& key, Parse parse, Value& value) const {
    if (!has(key)) return;
    const json& text = at(key);
    try {
      value = parse(text.is_string() ? text.get<std::string>() : text.dump());
    } catch (const UserError& error) {
      fail(key, error.what());
    }
  }
  [[nodiscard]] Fields child(const std::string& key) const {
    return {document_, child_pointer(pointer_, key), part_ + ", " + key};
  }

 private:
  const datasets::Document& document_;
  std::string pointer_, part_;
  const json& value_;
};

constexpr auto kBits = [](const std::string& text) { return datasets::parse_bits(text); };
constexpr auto kPicojoules = [](const std::string& text) {
  return datasets::parse_picojoules(text).value;
};
constexpr auto kPicojoulesPerBit = [](const std::string& text) {
  return datasets::parse_picojoules_per_bit(text);
};
constexpr auto kMilliwatts = [](const std::string& text) {
  return datasets::parse_milliwatts(text);
};
constexpr auto kSquareMillimetres = [](const std::string& text) {
  return datasets::parse_square_millimetres(text).value;
};

accel::TensorSet tensors_of(const json& value) {
  if (value.is_string()) return accel::TensorSet::all();
  accel::TensorSet set;
  for (const Tensor tensor : kTensors)
    if (std::ranges::find(value, json(name_of(tensor))) != value.end()) set.add(tensor);
  return set;
}

class MachineReader {
 public:
  /// `folder`: what the path of a technology starts from.
  MachineReader(const datasets::Document& document, std::filesystem::path folder,
                Technologies& technologies)
      : document_(document), folder_(std::move(folder)), technologies_(technologies) {}

  [[nodiscard]] MachineDescription read() {
    const Fields file(document_, "", "machine");
    accel::Machine& machine = result_.machine;
    machine.name = file.at("name");
    machine.source = file.at("source");
    file.read(
        "clock", [](const std::string& text) { return datasets::parse_hertz(text); },
        machine.clock);
    file.read("word", kBits, word_bits_);
    machine.levels.resize(document_.value["levels"].size());
    accel::set_costs(machine, accel::kFromTechnology);
    read_compute();
    for (std::size_t i = 0; i < machine.levels.size(); ++i) read_level(i);
    check_structure();
    fill_in_costs(file);
    check(accel::problems_in(machine));
    if (file.has("constraints"))
      result_.constraints = read_constraints(document_, "/constraints", machine);
    if (file.has("dataflow")) read_dataflow(file);
    return std::move(result_);
  }

 private:
  void read_dataflow(const Fields& file) {
    if (const auto problems = accel::problems_of_template(result_.machine); !problems.empty())
      file.fail("dataflow", fmt::format("{}", fmt::join(problems, "; ")));
    result_.dataflow = accel::dataflow_named(file.at("dataflow"));
  }

  void read_compute() {
    if (!document_.value.contains("compute")) return;
    accel::Compute& compute = result_.machine.compute;
    const Fields fields(document_, "/compute", "compute");
    if (fields.has("name")) compute.name = fields.at("name");
    fields.read("precision", kBits, multiplier_bits_);
    fields.read("mac_energy", kPicojoules, compute.mac_energy_pj);
    fields.read("add_energy", kPicojoules, compute.add_energy_pj);
    fields.read("vector_energy", kPicojoules, compute.vector_energy_pj);
    fields.read("leakage", kMilliwatts, compute.leakage_mw);
    fields.read("area", kSquareMillimetres, compute.area_mm2);
  }

  void read_level(std::size_t i) {
    const std::string name = document_.value["levels"][i]["name"];
    const Fields fields(document_, fmt::format("/levels/{}", i), fmt::format("level '{}'", name));
    accel::StorageLevel& level = result_.machine.levels[i];
    level.name = name;
    level.word_bits = word_bits_;
    fields.read("word", kBits, level.word_bits);
    if (level.word_bits < 1) fields.fail("word", "must be at least 1 bit");
    read_kept_tensors(fields, level);
    read_sizes(fields, level);
    read_bandwidths(fields, level);
    read_costs(fields, level);
    if (fields.has("fanout"))
      for (const json& axis : fields.at("fanout"))
        level.fanout.push_back({.axis = axis["axis"],
                                .size = axis["size"],
                                .multicast = axis.value("multicast", true),
                                .reduction = axis.value("reduction", true)});
    stores_.push_back(store_of(fields, level));
  }

  static void read_kept_tensors(const Fields& fields, accel::StorageLevel& level) {
    const auto set = [&](const char* key) {
      return fields.has(key) ? tensors_of(fields.at(key)) : accel::TensorSet();
    };
    const accel::TensorSet keep = set("keep"), may_keep = set("may_keep"), bypass = set("bypass");
    for (const Tensor tensor : kTensors) {
      const bool in_bypass = bypass.has(tensor);
      if (in_bypass && (keep.has(tensor) || may_keep.has(tensor)))
        fields.fail("bypass", fmt::format("{} is also in {}", name_of(tensor),
                                          keep.has(tensor) ? "keep" : "may_keep"));
      if (keep.has(tensor) && may_keep.has(tensor))
        fields.fail("may_keep", fmt::format("{} is also in keep", name_of(tensor)));
      if (keep.has(tensor)) level.must_keep.add(tensor);
      if (in_bypass) level.may_keep.remove(tensor);
    }
  }

  static void read_sizes(const Fields& fields, accel::StorageLevel& level) {
    const auto capacity = [&](const std::string& text) {
      return datasets::parse_capacity_bits(text, level.word_bits);
    };
    fields.read("capacity", capacity, level.capacity_bits);
    if (fields.has("partition"))
      for (const Tensor tensor : kTensors)
        fields.child("partition")
            .read(std::string(name_of(tensor)), capacity,
                  level.partition_bits[static_cast<std::size_t>(tensor)]);
    fields.read(
        "block", [](const std::string& text) { return datasets::parse_words(text); },
        level.block_words);
    if (fields.has("cluster")) level.cluster = fields.at("cluster");
    if (!fields.has("buffers")) return;
    const json& buffers = fields.at("buffers");
    level.buffers = buffers.is_string() ? (buffers == "single" ? 1 : 2) : buffers.get<int64_t>();
  }

  void read_bandwidths(const Fields& fields, accel::StorageLevel& level) const {
    const auto words_per_cycle = [&](const std::string& text) {
      return datasets::parse_words_per_cycle(text, level.word_bits, result_.machine.clock);
    };
    fields.read("bandwidth", words_per_cycle, level.shared_bandwidth);
    fields.read("read_bandwidth", words_per_cycle, level.read_bandwidth);
    fields.read("write_bandwidth", words_per_cycle, level.write_bandwidth);
    if (fields.has("network"))
      fields.child("network").read("bandwidth", words_per_cycle, level.network_bandwidth);
  }

  static void read_costs(const Fields& fields, accel::StorageLevel& level) {
    if (fields.has("energy") && (fields.has("read_energy") || fields.has("write_energy")))
      fields.fail("energy", "read_energy and write_energy say the same");
    fields.read("energy", kPicojoules, level.read_energy_pj);
    fields.read("energy", kPicojoules, level.write_energy_pj);
    fields.read("read_energy", kPicojoules, level.read_energy_pj);
    fields.read("write_energy", kPicojoules, level.write_energy_pj);
    fields.read("leakage", kMilliwatts, level.leakage_mw);
    fields.read("area", kSquareMillimetres, level.area_mm2);
    if (!fields.has("network")) return;
    const Fields network = fields.child("network");
    network.read("energy", kPicojoulesPerBit, level.network_energy_pj);
    network.read("hop_energy", kPicojoulesPerBit, level.hop_energy_pj);
    network.read("area", kSquareMillimetres, level.network_area_mm2);
  }

  static accel::Store store_of(const Fields& fields, const accel::StorageLevel& level) {
    accel::Store store = accel::default_store(level);
    if (fields.has("store")) {
      const std::string kind = fields.at("store");
      store.kind = kind == "dram"   ? accel::Store::Kind::dram
                   : kind == "sram" ? accel::Store::Kind::sram
                                    : accel::Store::Kind::registers;
    }
    fields.read("port", kBits, store.port_bits);
    if (fields.has("port") && store.port_bits < 1) fields.fail("port", "must be at least 1 bit");
    return store;
  }

  /// Where `problem`, which names its level, is.
  [[nodiscard]] SourceLocation location_of(const std::string& problem) const {
    const auto& levels = result_.machine.levels;
    for (std::size_t i = levels.size(); i-- > 0;)
      if (problem.starts_with(fmt::format("level '{}'", levels[i].name)))
        return document_.location_of(fmt::format("/levels/{}/{}", i, key_of(problem)));
    if (problem.starts_with("compute")) return document_.location_of("/compute");
    if (problem.starts_with("clock")) return document_.location_of("/clock");
    return document_.location_of("/levels");
  }

  /// The key of a level that `problem` is about; a key that is not there stands for the level.
  static std::string key_of(const std::string& problem) {
    for (const char* key : {"capacity", "partition", "fan-out", "axis", "word", "block", "cluster",
                            "buffers", "network", "read bandwidth", "write bandwidth"})
      if (problem.find(fmt::format(": {}", key)) != std::string::npos) {
        const std::string found = key;
        if (found == "fan-out" || found == "axis") return "fanout";
        if (found == "read bandwidth") return "read_bandwidth";
        if (found == "write bandwidth") return "write_bandwidth";
        return found;
      }
    return "name";
  }

  void check(const std::vector<std::string>& problems) const {
    if (problems.empty()) return;
    const SourceLocation first = location_of(problems.front());
    std::string message = problems.front();
    for (std::size_t i = 1; i < problems.size(); ++i)
      message += fmt::format("\n{}: {}", location_of(problems[i]).text(), problems[i]);
    throw UserError(first, message);
  }

  // Costs follow from the structure, so that must be right first.
  void check_structure() const {
    accel::Machine costless = result_.machine;
    accel::set_costs(costless, 0);
    check(accel::problems_in(costless));
  }

  void fill_in_costs(const Fields& file) {
    std::string technology = file.has("technology") ? file.at("technology") : json("45nm");
    if (technology == "none") return accel::fill_costs(result_.machine, {}, stores_, 8);
    if (multiplier_bits_ != 8 && multiplier_bits_ != 16 && multiplier_bits_ != 32)
      Fields(document_, "/compute", "compute")
          .fail("precision", fmt::format("{} bits; a technology has multipliers of 8, 16 and 32 "
                                         "bits",
                                         multiplier_bits_));
    if (names_technology_file(technology)) technology = folder_ / technology;
    try {
      accel::fill_costs(result_.machine, technologies_.find(technology), stores_,
                        static_cast<int>(multiplier_bits_));
    } catch (const FileError& error) {
      throw FileError(file.where("technology"), error.what());
    } catch (const UserError& error) {
      if (!error.where().file.empty()) throw;  // within the table
      throw UserError(file.where("technology"), error.what());
    }
  }

  const datasets::Document& document_;
  std::filesystem::path folder_;
  Technologies& technologies_;
  MachineDescription result_;
  std::vector<accel::Store> stores_;
  std::int64_t word_bits_ = 8, multiplier_bits_ = 8;
};

datasets::Document document_of(const std::string& what) {
  if (datasets::names_document(what)) return datasets::read_yaml(what);
  for (const accel::ShippedMachine& shipped : accel::shipped_machines())
    if (shipped.name == what) return datasets::parse_yaml(shipped.text, what + ".yaml");
  throw UserError(fmt::format("no machine '{}'{}", what, did_you_mean(what, machine_names())));
}

/// The parameter that all of "${NAME}" is; empty for other texts.
std::string parameter_in(const json& technology) {
  if (!technology.is_string()) return "";
  const std::string text = technology;
  if (!text.starts_with("${") || text.find('}') + 1 != text.size()) return "";
  const std::size_t first = text.find_first_not_of(' ', 2);
  return text.substr(first, text.find_last_not_of(" }") + 1 - first);
}

}  // namespace

MachineFile::MachineFile(datasets::Document document, Files technologies)
    : name_(document.file),
      document_(std::move(document)),
      technologies_(std::make_shared<Technologies>(std::move(technologies))) {
  const json& file = document_.value;
  if (!file.is_object() || !file.contains("parameters") || !file["parameters"].is_object()) return;
  for (const auto& [name, value] : file["parameters"].items())
    parameters_.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  const auto place = [&](const auto& parameter) {
    const SourceLocation at =
        document_.location_of_key(child_pointer("/parameters", parameter.first));
    return std::pair(at.line, at.column);
  };
  std::ranges::sort(parameters_, {}, place);
  if (file.contains("technology")) technology_parameter_ = parameter_in(file["technology"]);
}

MachineFile::MachineFile(const std::string& name, Files technologies)
    : MachineFile(document_of(name), std::move(technologies)) {
  name_ = name;
}

bool MachineFile::is_shipped() const {
  return std::ranges::any_of(accel::shipped_machines(),
                             [&](const auto& machine) { return machine.name == name_; });
}

MachineDescription MachineFile::with(const ParameterValues& values) const {
  datasets::Document document = document_;
  fill_in_parameters(document, values);
  datasets::validate(document, kMachineSchema);
  const bool is_given = std::ranges::any_of(
      values, [&](const auto& value) { return value.first == technology_parameter_; });
  const std::filesystem::path here = std::filesystem::path(document.file).parent_path();
  return MachineReader(document, is_given ? "" : here, *technologies_).read();
}

MachineDescription read_machine(datasets::Document document, const ParameterValues& values) {
  return MachineFile(std::move(document)).with(values);
}

std::string shown_parameters(const ParameterValues& values) {
  std::string text;
  for (const auto& [name, value] : values)
    text += fmt::format("{}{}={}", text.empty() ? ":" : ",", name, value);
  return text;
}

MachineDescription find_machine(const std::string& what) {
  const auto [name, values] = split_parameters(what);
  MachineDescription description = MachineFile(name).with(values);
  description.machine.name += shown_parameters(values);
  return description;
}

std::vector<std::string> machine_names() {
  std::vector<std::string> names;
  for (const accel::ShippedMachine& shipped : accel::shipped_machines())
    names.emplace_back(shipped.name);
  return names;
}

}  // namespace cosearch::codesign
