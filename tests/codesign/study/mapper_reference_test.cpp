// The optimal mapper against Timeloop's: the same machines, constraints, accounting and energies.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "accel/optimal_mapper.h"
#include "codesign/machine_file.h"
#include "tests/accel/timeloop_rows.h"
#include "tests/support/reference_data.h"

namespace cosearch::codesign::test {
namespace {

using accel::test::TimeloopRow;

double edp_of(const accel::NestCost& cost) {
  return static_cast<double>(cost.cycles().value) * cost.total_energy().value;
}

class MapperReference : public testing::Test {
 protected:
  void SetUp() override {
    COSEARCH_NEEDS_REFERENCE("timeloop/rows.jsonl");
    for (TimeloopRow& row :
         accel::test::timeloop_rows(cosearch::test::reference_data() / "timeloop"))
      if (row.is_mapper_best()) rows_.push_back(std::move(row));
    for (const char* name : {"eyeriss256", "simba"})
      machines_.emplace(name, find_machine(std::string("timeloop-") + name));
  }
  [[nodiscard]] std::variant<accel::Infeasible, accel::MappedLayer> map(const std::string& machine,
                                                                        const Layer& layer) const {
    const MachineDescription& description = machines_.at(machine);
    return accel::optimal_mapping(layer, description.machine, description.constraints,
                                  {accel::MappingObjective::of_edp(), accel::Accounting::timeloop});
  }
  std::vector<TimeloopRow> rows_;
  std::map<std::string, MachineDescription> machines_;
};

TEST_F(MapperReference, IsNeverWorseThanTimeloopsBest) {
  std::size_t compared = 0, equal = 0;
  double most = 1;
  for (const TimeloopRow& row : rows_) {
    SCOPED_TRACE(row.id);
    const double theirs = row.raw["cycles"].get<double>() * row.raw["energy_pJ"].get<double>();
    const auto mapped = map(row.arch, row.layer);
    ASSERT_TRUE(std::holds_alternative<accel::MappedLayer>(mapped))
        << std::get<accel::Infeasible>(mapped).reason;
    const auto& best = std::get<accel::MappedLayer>(mapped);
    EXPECT_TRUE(accel::problems_in(best.nest, row.layer, machines_.at(row.arch).machine).empty());
    const double ours = edp_of(best.cost);
    // Energies in the rows are printed with two digits.
    EXPECT_LE(ours, theirs * (1 + 1e-7));
    ++compared;
    if (ours > theirs * (1 - 1e-7)) ++equal;
    most = std::max(most, theirs / ours);
  }
  std::cout << fmt::format(
      "{} rows: {} times the same energy-delay product, else less; at most {:.3f} times less\n",
      compared, equal, most);
}

/// A layer by its shape alone.
std::string shape_of(const Layer& layer) {
  return describe(layer) + fmt::format(" N{} dil{}", layer.N, layer.dilation_h);
}

TEST_F(MapperReference, SaysWhichLevelOfSimbaIsTooSmall) {
  std::map<std::string, Layer> on_eyeriss;
  std::set<std::string> on_simba;
  for (const TimeloopRow& row : rows_) {
    if (row.arch == "eyeriss256") on_eyeriss.emplace(shape_of(row.layer), row.layer);
    if (row.arch == "simba") on_simba.insert(shape_of(row.layer));
  }
  std::size_t unmappable = 0;
  for (const auto& [shape, layer] : on_eyeriss) {
    SCOPED_TRACE(shape);
    const auto mapped = map("simba", layer);
    if (on_simba.contains(shape)) {
      EXPECT_TRUE(std::holds_alternative<accel::MappedLayer>(mapped));
      continue;
    }
    ++unmappable;
    ASSERT_TRUE(std::holds_alternative<accel::Infeasible>(mapped));
    const std::string& reason = std::get<accel::Infeasible>(mapped).reason;
    EXPECT_NE(reason.find("words) too small"), std::string::npos) << reason;
    std::cout << shape << ": " << reason << '\n';
  }
  std::cout << fmt::format("{} of {} layers find no mapping on simba\n", unmappable,
                           on_eyeriss.size());
}

}  // namespace
}  // namespace cosearch::codesign::test
