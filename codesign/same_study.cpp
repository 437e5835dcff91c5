#include "codesign/same_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "codesign/accelerator_set.h"
#include "codesign/study.h"
#include "datasets/document.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

class Comparison {
 public:
  void configurations(const std::string& earlier, const std::string& now) {
    if (earlier == now) return;
    values("", in_newest_version(datasets::parse_yaml(earlier, "the stored study")).value,
           in_newest_version(datasets::parse_yaml(now, "the study")).value);
  }

  void texts(const std::string& key, const std::string& earlier, const std::string& now) {
    if (earlier != now) add("{} is {}, was {}", key, now, earlier);
  }

  void numbers(const std::string& key, std::uint64_t earlier, std::uint64_t now) {
    if (earlier != now) add("{} is {}, was {}", key, now, earlier);
  }

  // A study stored by a program that kept no hash of an input cannot say whether it changed.
  void inputs(const std::map<std::string, std::string>& earlier,
              const std::map<std::string, std::string>& now, const std::string& study) {
    for (const auto& [key, hash] : now)
      if (const auto found = earlier.find(key); found != earlier.end() && found->second != hash)
        add("the file that {} names has changed{}: its SHA-256 is {}, was {}", key,
            file_named(study, key), hash, found->second);
  }

  // Tables that the study names may have changed although the study itself has not.
  void networks(const std::vector<datasets::NetworkRow>& earlier,
                const std::vector<datasets::NetworkRow>& now) {
    if (earlier.size() != now.size())
      return add("there are {} networks, were {}", now.size(), earlier.size());
    for (std::size_t i = 0; i < now.size(); ++i) {
      if (is_same(earlier[i], now[i])) continue;
      return add("network {} is {} with accuracy {} percent, was {} with {}", i, now[i].genotype,
                 now[i].accuracy, earlier[i].genotype, earlier[i].accuracy);
    }
  }

  void accelerators(const datasets::StudyStart& earlier_start,
                    const datasets::StudyStart& now_start) {
    const datasets::AcceleratorTable& earlier = earlier_start.accelerators;
    const datasets::AcceleratorTable& now = now_start.accelerators;
    if (earlier.parameters != now.parameters)
      return add("the parameters of accelerators are not the same");
    if (earlier.rows.size() != now.rows.size())
      return add("there are {} accelerators, were {}", now.rows.size(), earlier.rows.size());
    for (std::size_t i = 0; i < now.rows.size(); ++i)
      if (!is_same(earlier.rows[i], now.rows[i]) ||
          !is_same_text(earlier.rows[i], earlier_start, now.rows[i], now_start))
        return add("accelerator {} is {}, was {}, or a parameter of it differs", i,
                   now.rows[i].name, earlier.rows[i].name);
  }

  // A study asked from another folder names the same files by other paths.
  void machine_files(const std::map<std::string, std::string>& earlier,
                     const datasets::StudyStart& now_start) {
    const std::map<std::string, std::string>& now = now_start.header.machine_files;
    const auto is_machine = [&](const std::string& path) {
      return std::ranges::find(now_start.accelerators.rows, path,
                               &datasets::AcceleratorRow::template_name) !=
             now_start.accelerators.rows.end();
    };
    std::set<std::string_view> texts;
    for (const auto& [path, text] : earlier) texts.insert(text);
    for (const auto& [path, text] : now)
      if (const auto known = earlier.find(path);
          known != earlier.end() ? known->second != text : !texts.contains(text))
        add("{} file {} is not the same", is_machine(path) ? "machine" : "technology", path);
  }

  std::vector<std::string> found;

 private:
  // " ('p.h5')" for "accuracy.predictor".
  static std::string file_named(const std::string& study, std::string key) {
    std::ranges::replace(key, '.', '/');
    const json value = in_newest_version(datasets::parse_yaml(study, "the study"))
                           .value.value(json::json_pointer("/" + key), json());
    if (value.is_string()) return fmt::format(" ('{}')", value.get<std::string>());
    for (const char* named : {"file", "images"})
      if (value.is_object() && value.contains(named))
        return fmt::format(" ('{}')", value[named].get<std::string>());
    return "";
  }

  template <class... Arguments>
  void add(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    found.push_back(fmt::format(text, std::forward<Arguments>(arguments)...));
  }

  static bool is_same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

  static bool is_same(datasets::NetworkRow a, datasets::NetworkRow b) {
    if (!is_same(a.accuracy, b.accuracy)) return false;
    a.accuracy = b.accuracy = 0;
    return a == b;
  }

  static bool is_same(const datasets::AcceleratorRow& a, const datasets::AcceleratorRow& b) {
    return a.name == b.name && a.template_name == b.template_name &&
           std::equal(a.parameters.begin(), a.parameters.end(), b.parameters.begin(),
                      b.parameters.end(), [](double x, double y) { return is_same(x, y); });
  }

  // Of a path, what stood there counts. Programs before stored numbers alone.
  static bool is_same_text(const datasets::AcceleratorRow& earlier,
                           const datasets::StudyStart& earlier_start,
                           const datasets::AcceleratorRow& now,
                           const datasets::StudyStart& now_start) {
    if (earlier.text_parameters.empty() || earlier.text_parameters == now.text_parameters)
      return true;
    const auto with_contents = [](const datasets::AcceleratorRow& row,
                                  const datasets::StudyStart& start) {
      json texts = texts_of(row);
      for (json& value : texts)
        if (const auto file = start.header.machine_files.find(value.get<std::string>());
            file != start.header.machine_files.end())
          value = file->second;
      return texts;
    };
    return with_contents(earlier, earlier_start) == with_contents(now, now_start);
  }

  void values(const std::string& pointer, const json& earlier, const json& now) {
    if (earlier == now || pointer == "/seed") return;  // the command line may replace a seed
    if (!earlier.is_object() || !now.is_object())
      return add("{} is {}, was {}", datasets::key_path(pointer), now.dump(), earlier.dump());
    std::set<std::string> keys;
    for (const json* part : {&earlier, &now})
      for (const auto& [key, value] : part->items()) keys.insert(key);
    for (const std::string& key : keys)
      values(datasets::child_pointer(pointer, key), value_at(earlier, key), value_at(now, key));
  }

  static json value_at(const json& object, const std::string& key) {
    return object.contains(key) ? object[key] : json("(nothing)");
  }
};

}  // namespace

std::vector<std::string> differences(const datasets::StudyStart& earlier,
                                     const datasets::StudyStart& now) {
  Comparison comparison;
  comparison.texts("the version of cosearch", earlier.header.program_version,
                   now.header.program_version);
  comparison.configurations(earlier.header.configuration, now.header.configuration);
  if (earlier.header.space_file != now.header.space_file)
    comparison.found.emplace_back("the file of the space is not what it was");
  comparison.numbers("seed", earlier.header.seed, now.header.seed);
  if (comparison.found.empty()) {  // else these only follow from what was found
    comparison.inputs(earlier.header.input_hashes, now.header.input_hashes,
                      now.header.configuration);
    comparison.networks(earlier.networks, now.networks);
    comparison.accelerators(earlier, now);
    comparison.machine_files(earlier.header.machine_files, now);
    if (earlier.metrics != now.metrics) comparison.found.push_back("the metrics are not the same");
  }
  return std::move(comparison.found);
}

}  // namespace cosearch::codesign
