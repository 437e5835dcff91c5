#include "codesign/rtl_calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "core/random.h"
#include "core/user_error.h"

namespace cosearch::codesign::test {
namespace {

using accel::ArrayConstants;
using testing::HasSubstr;

constexpr ArrayConstants kTrue{.instruction_spacing = 0.3,
                               .call_cycles = 250,
                               .request_cycles = 2,
                               .byte_cycles = 0.05,
                               .start_cycles = 3000,
                               .unhidden = 0.4};

/// Runs of machines that keep exactly to the model, each limited by another part of it.
std::vector<RtlRun> runs_of_the_model(std::size_t count) {
  std::vector<RtlRun> runs(count);
  Random random(1, "runs of the model");
  for (std::size_t i = 0; i < count; ++i) {
    const auto any = [&] { return std::exp(6 + 8 * random.uniform()); };
    runs[i].shape = i / 10;
    runs[i].work = {any(), any(), any() / 1000, any(), any()};
    runs[i].cycles = calibrated_cycles(runs[i].work, kTrue);
  }
  return runs;
}

std::vector<const RtlRun*> pointers(const std::vector<RtlRun>& runs) {
  std::vector<const RtlRun*> pointers;
  for (const RtlRun& run : runs) pointers.push_back(&run);
  return pointers;
}

void expect_near(const ArrayConstants& is, const ArrayConstants& expected, double relative) {
  const auto a = named(is), b = named(expected);
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_NEAR(a[i].value / b[i].value, 1, relative) << a[i].name;
}

TEST(RtlCalibration, FindsTheConstantsThatMadeTheRuns) {
  const auto runs = runs_of_the_model(400);
  expect_near(fit_constants(pointers(runs)), kTrue, 1e-4);
}

TEST(RtlCalibration, HardlyNoticesAFewRunsThatStalled) {
  auto runs = runs_of_the_model(400);
  for (std::size_t i = 0; i < runs.size(); i += 40) runs[i].cycles *= 50;
  expect_near(fit_constants(pointers(runs)), kTrue, 0.05);
}

TEST(RtlCalibration, ARunLeftOutDoesNotCount) {
  auto runs = runs_of_the_model(200);
  std::vector<double> times(runs.size(), 1);
  for (std::size_t i = 0; i < runs.size(); i += 2) {
    runs[i].cycles *= 3;
    times[i] = 0;
  }
  expect_near(fit_constants(pointers(runs), times), kTrue, 1e-4);
}

class RtlFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / "rtl_files";
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// A file of one run of a matrix product of 32 x 64 by 64 x 32.
  std::filesystem::path file_with(const std::string& mapping) const {
    const auto path = folder_ / "runs.csv";
    std::ofstream(path) << "mapping.mapping,prob.C,prob.Hstride,prob.K,prob.P,prob.Q,prob.R,prob.S,"
                           "prob.Wstride,target.gemmini_cycle\n"
                        << mapping << ",64,1,32,32,1,1,1,1,5000\n";
    return path;
  }
  std::filesystem::path folder_;
};

TEST_F(RtlFiles, AreReadAsLayersNestsAndWork) {
  const auto files = read_rtl_files(
      std::array{file_with("L3[WIO] K2 - L2[WI] N1 K16X - L1[O] C4 P2 C16X - L0[W] P16")});
  const RtlRun& run = files.at(0).runs.at(0);
  EXPECT_EQ(run.cycles, 5000);
  EXPECT_EQ(problems_in(run.nest, run.layer, run.machine), std::vector<std::string>{});
  // Two calls; each streams two pieces of 16 rows through four blocks of weights.
  EXPECT_EQ(run.work.calls, 2);
  EXPECT_EQ(run.work.array_cycles, 2 * 4 * 32);
  EXPECT_EQ(run.work.requests, 2 * (32 + 64 + 32));
}

TEST_F(RtlFiles, SayWhichMappingIsNone) {
  for (const char* mapping :
       {"L3[WIO] K2 - L2[WI] K16X - L1[O] C64 P32 - L0", "L3[WIO] K2 - L2[WI] K16X",
        "L3[WIO] K3 - L2[WI] N1 - L1[O] C64 - L0[W] P32", "L3[WIO] Kx - L2[WI] - L1[O] - L0[W]",
        "L3[WIO] K2 - L2[WI] K16X - L1[O] C4 - L0[W] P32"}) {
    SCOPED_TRACE(mapping);
    try {
      const auto files = read_rtl_files(std::array{file_with(mapping)});
      FAIL() << "read";
    } catch (const UserError& error) {
      EXPECT_THAT(error.what(), HasSubstr("runs.csv:2"));
      EXPECT_THAT(error.what(), HasSubstr("is no mapping of this layer"));
    }
  }
}

}  // namespace
}  // namespace cosearch::codesign::test
