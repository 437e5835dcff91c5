// Validation cases: what is computed of them, what is said of bad ones, and those that must be met
// exactly.
#include "codesign/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "codesign/validation_quantities.h"
#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// 2 x 16 x 16 multipliers at 1 GHz are 0.512 TOPS. 4 rows times 8 channels times 4: 128
// multiplications on 4 multipliers.
const char* const kSmall = R"(kind: validation
schema_version: 1
name: small
about: made up for this test
sources:
  hand: {known: derived, text: by hand}
cases:
  - name: array
    machine: timeloop-flat256
    values:
      - {quantity: peak, value: 0.512, source: hand}
  - name: product
    machine: timeloop-flat256
    layers: [{P: 4, C: 8, K: 4, bits: 16, sum_bits: 16, times: 3}]
    images: 6
    mapping:
      - {keep: IWO}
      - {keep: IWO, loops: "X:K1"}
      - {keep: IWO, loops: C1 P1}
    values:
      - {quantity: multipliers, value: 4, source: hand}
      - {quantity: moved, level: DRAM, value: 0.000384, source: hand}
      - quantity: equal counts
        source: hand
        counts: {DRAM: {input: [32, 0, 0], output: [0, 0, 17]}}
)";

ValidationSuite parse(const std::string& text) {
  return read_validation(datasets::parse_yaml(text, "mine.yaml"));
}

std::vector<ValidationReport> run(const std::vector<ValidationSuite>& suites, int jobs = 1) {
  Workers workers(jobs);
  return run_validation(suites, {}, workers);
}

/// kSmall with one piece of text replaced.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = kSmall;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

ValidationSuite shipped(const std::string& name) {
  for (ValidationSuite& suite : shipped_validation())
    if (suite.name == name) return suite;
  throw std::runtime_error("no suite " + name);
}

TEST(Validation, SetsEachValueBesideOurs) {
  const ValidationReport report = run({parse(kSmall)}).front();
  ASSERT_EQ(report.rows.size(), 4u);
  EXPECT_EQ(report.rows[0].item, "array");
  EXPECT_EQ(report.rows[0].unit, "TOPS");
  EXPECT_DOUBLE_EQ(report.rows[0].ours, 0.512);
  EXPECT_EQ(report.rows[1].ours, 4);
  // 32 inputs, 32 weights, 16 outputs, of two bytes each, three times.
  EXPECT_EQ(report.rows[2].item, "product, DRAM");
  EXPECT_DOUBLE_EQ(report.rows[2].ours, 3 * 80 * 2 * 1e-6);
  EXPECT_NEAR(report.rows[2].error(), 0.25, 1e-12);
  // Six numbers, of which the last is wrong.
  EXPECT_EQ(report.rows[3].reference, 6);
  EXPECT_EQ(report.rows[3].ours, 5);
  EXPECT_EQ(report.rows[3].source.known, "derived");
}

TEST(Validation, SummarisesAQuantityOverItsCases) {
  std::string text = kSmall;
  for (const char* value : {"0.256", "0.32", "1.024"})
    text += std::string(
                "  - {name: again, machine: timeloop-flat256, values: "
                "[{quantity: peak, source: hand, value: ") +
            value + "}]}\n";
  const ValidationReport report = run({parse(text)}).front();
  ASSERT_EQ(report.summaries.size(), 1u);  // of `peak`: every other quantity stands alone
  const ValidationSummary& peak = report.summaries.front();
  EXPECT_EQ(peak.count, 4u);
  EXPECT_DOUBLE_EQ(peak.median_ratio, (1 + 1.6) / 2);  // of 0.5, 1, 1.6 and 2
  EXPECT_DOUBLE_EQ(peak.largest_error, 1);
  EXPECT_DOUBLE_EQ(peak.median_error, (0.5 + 0.6) / 2);
  EXPECT_TRUE(std::isnan(peak.spearman)) << "ours are all equal";
}

TEST(Validation, TellsOfACaseThatCannotRun) {
  // A filter row of 300 words has no room in a pad of 224.
  const ValidationReport report =
      run({parse(std::string(kSmall) +
                 "  - {name: wide, machine: eyeriss-v1, layers: [{Q: 9, S: 300}], values: "
                 "[{quantity: cycles, value: 1, source: hand}]}\n")})
          .front();
  EXPECT_EQ(report.rows.size(), 4u);
  EXPECT_THAT(report.failures, ElementsAre(HasSubstr("wide: ")));
}

TEST(Validation, LeavesSlowCasesOutUnlessAsked) {
  const std::vector<ValidationSuite> suites{parse(changed("images: 6", "slow: true"))};
  EXPECT_THAT(run(suites).front().left_out, ElementsAre("product"));
  EXPECT_EQ(run(suites).front().rows.size(), 1u);
  Workers workers(1);
  EXPECT_EQ(run_validation(suites, {.slow = true}, workers).front().rows.size(), 4u);
}

TEST(Validation, NamesThePlaceOfEachMistake) {
  struct Mistake {
    std::string from, to, message;
  };
  const std::vector<Mistake> mistakes{
      {"known: derived", "known: guessed", "mine.yaml:6:"},
      {"machine: timeloop-flat256", "machine: timeloop-flat", "mine.yaml:8:5: no machine"},
      {"quantity: peak", "quantity: peek", "no quantity 'peek' (did you mean 'peak'?)"},
      {"quantity: peak", "quantity: cycles", "'cycles' needs layers or a network"},
      {"value: 0.512, source: hand", "value: 0.512, source: foot", "no source 'foot'"},
      {"level: DRAM, ", "", "'moved' is one of the machine's levels"},
      {"level: DRAM", "level: DRUM", "no level 'DRUM' (did you mean 'DRAM'?)"},
      {"X:K1", "Z:K1", "'Z:K1': no axis 'Z' below GlobalBuffer"},
      {"X:K1", "X:4K", "'X:4K' is no loop"},
      {"X:K1", "X:K0", "'X:K0' is no loop"},
      {"C1 P1", "C1", "mine.yaml:12:5: "},
      {"      - {keep: IWO}\n", "", "a mapping of 2 levels, but timeloop-flat256 has 3"},
      {"value: 4, ", "", "expected a value or counts"},
  };
  for (const Mistake& mistake : mistakes) {
    SCOPED_TRACE(mistake.from + " -> " + mistake.to);
    try {
      (void)parse(changed(mistake.from, mistake.to));
      FAIL() << "read";
    } catch (const UserError& error) {
      EXPECT_THAT(error.what(), HasSubstr(mistake.message));
      EXPECT_THAT(error.what(), HasSubstr("mine.yaml:"));
    }
  }
}

TEST(ShippedValidation, SaysWhereEachNumberComesFromAndHowItIsKnown) {
  std::set<std::string> names;
  for (const ValidationSuite& suite : shipped_validation()) {
    SCOPED_TRACE(suite.name);
    EXPECT_TRUE(names.insert(suite.name).second);
    EXPECT_GT(suite.about.size(), 50u);
    std::set<std::string> used;
    for (const ValidationCase& one : suite.cases)
      for (const ReferenceValue& value : one.values) used.insert(value.source);
    EXPECT_EQ(used.size(), suite.sources.size()) << "a source that no value has";
  }
}

/// Suites in which nothing may differ.
class ExactSuite : public testing::TestWithParam<const char*> {};

TEST_P(ExactSuite, IsMetInEveryNumber) {
  const ValidationReport report = run({shipped(GetParam())}).front();
  EXPECT_GE(report.rows.size(), 5u);
  EXPECT_THAT(report.failures, IsEmpty());
  EXPECT_THAT(report.left_out, IsEmpty());
  for (const ValidationRow& row : report.rows) {
    SCOPED_TRACE(row.item + ": " + row.quantity);
    // Timeloop's energies have two digits after the point, its constants eight.
    const double tolerance = row.quantity == "energy" ? 0.02 + 1e-7 * row.reference : 0;
    EXPECT_NEAR(row.ours, row.reference, tolerance);
  }
}

INSTANTIATE_TEST_SUITE_P(ShippedValidation, ExactSuite,
                         testing::Values("Timeloop's costs of its mappings",
                                         "Nests counted by hand"));

// What follows from the chip's own mappings alone, whatever the bandwidths and energies: the
// multipliers in use (of CONV2, whose 27 rows fold into 14 and 13, an upper bound), and the
// accesses of the buffer, which the paper counts without those that fill it.
TEST(ShippedValidation, EyerissCountsFollowFromItsMappings) {
  ValidationSuite suite = shipped("Eyeriss v1 on AlexNet");
  std::erase_if(suite.cases, [](const ValidationCase& one) {
    return !one.mapping || one.description.machine.name != "eyeriss-v1";
  });
  EXPECT_EQ(suite.cases.size(), 6u);
  const ValidationReport report = run({suite}).front();
  for (const ValidationRow& row : report.rows) {
    SCOPED_TRACE(row.item);
    const bool inconsistent = row.item == "CONV3 as the chip ran, global buffer";
    if (row.quantity == "multipliers") {
      EXPECT_NEAR(row.error(), 0.02, 0.02);
    } else if (row.item.ends_with("buffer") && !inconsistent) {
      EXPECT_NEAR(row.error(), 0.04, 0.045);
    }
  }
}

TEST(ShippedValidation, IsTheSameForAnyNumberOfWorkers) {
  const std::vector<ValidationSuite> suites{shipped("TPU v1"), shipped("ShiDianNao")};
  const auto once = run(suites, 1), again = run(suites, 3);
  for (std::size_t s = 0; s < suites.size(); ++s)
    for (std::size_t i = 0; i < once[s].rows.size(); ++i)
      EXPECT_EQ(once[s].rows[i].ours, again[s].rows[i].ours);
}

}  // namespace
}  // namespace cosearch::codesign
