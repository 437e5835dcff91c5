// A small study on disk, for the tests of what a study file becomes.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "codesign/study.h"
#include "core/random.h"
#include "nas/space.h"
#include "tests/datasets/support.h"

namespace cosearch::test {

/// Every network of fashion-macro, with the accuracies of `accuracies_csv`, on nine accelerators.
inline const std::string kSmallStudy = R"(kind: study
schema_version: 1
name: small
seed: 3
networks:
  space: fashion-macro
  options: {positions: 4}
  table: {file: accuracies.csv, genotype: genotype, accuracy: accuracy}
accelerators:
  named: [xp-ws-64]
  grids:
    - template: nvdla
      pe_rows: [4, 8]
      pe_columns: [4, 8]
      pe_buffer: 256B
    - template: eyeriss
      pe_rows: [4, 12]
      pe_columns: 8
      shared_buffer: [16KiB, 64KiB]
objectives: [accuracy, latency, energy]
strategy: {name: exhaustive}
)";

/// `text` with its only `old` replaced; fails the test when there is not exactly one.
inline std::string replaced(std::string text, const std::string& old, const std::string& by) {
  const std::size_t at = text.find(old);
  if (at == std::string::npos || text.find(old, at + 1) != std::string::npos) {
    ADD_FAILURE() << "'" << old << "' must stand exactly once in:\n" << text;
    return text;
  }
  return text.replace(at, old.size(), by);
}

/// A made-up accuracy for each of the 81 networks: more where blocks are larger, and some noise, so
/// that the order of accuracies is not that of the MACs.
inline std::string accuracies_csv() {
  const auto space = nas::make_space("fashion-macro", {{"positions", 4}});
  std::string csv = "genotype,accuracy,kind\n";
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(space->size()); ++i) {
    const std::string genotype = space->genotype(i);
    double accuracy = 60 + 15 * Random(7, "accuracy", i).uniform();
    for (const char digit : genotype) accuracy += 2 * (digit - '0');
    csv += fmt::format("{},{:.2f},{}\n", genotype, accuracy, i % 2 == 0 ? "even" : "odd");
  }
  return csv;
}

/// A folder with a study and the table it names.
class StudyFolder {
 public:
  /// `changes`: (old, new) pairs applied to kSmallStudy.
  StudyFolder(std::initializer_list<std::pair<std::string, std::string>> changes = {}) {
    write_bytes(folder_ / "accuracies.csv", accuracies_csv());
    std::string text = kSmallStudy;
    for (const auto& [old, by] : changes) text = replaced(std::move(text), old, by);
    write(text);
  }

  void write(const std::string& study) const { write_bytes(folder_ / "study.yaml", study); }
  [[nodiscard]] std::filesystem::path study() const { return folder_ / "study.yaml"; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return folder_ / name;
  }
  [[nodiscard]] codesign::Study read(const codesign::Definitions& definitions = {}) const {
    return codesign::read_study(study(), definitions);
  }

  /// Names of everything in the folder but the study and its table, sorted.
  [[nodiscard]] std::vector<std::string> other_files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      if (const std::string name = entry.path().filename().string();
          name != "study.yaml" && name != "accuracies.csv")
        names.push_back(name);
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace cosearch::test
