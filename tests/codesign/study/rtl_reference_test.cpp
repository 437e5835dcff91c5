// What docs/calibration.md says was reached, on the runs of Gemmini's RTL themselves.
#include <gtest/gtest.h>

#include "accel/access_counts.h"
#include "accel/nest_latency.h"
#include "codesign/rtl_calibration.h"
#include "tests/support/reference_data.h"

namespace cosearch::codesign::test {
namespace {

class RtlReference : public testing::Test {
 protected:
  void SetUp() override {
    COSEARCH_NEEDS_REFERENCE("timeloop/dosa_gemmini_firesim_rtl.csv");
    const auto folder = cosearch::test::reference_data() / "timeloop";
    files_ = read_rtl_files(std::array{folder / "dosa_gemmini_firesim_rtl.csv",
                                       folder / "dosa_gemmini_firesim_rtl_vs_timeloop.csv"});
  }
  std::vector<RtlFile> files_;
};

TEST_F(RtlReference, ShapesLeftOutArePredictedWithinTenPercent) {
  const RtlCalibration calibration = calibrate(files_, {.resamples = 2});
  for (const FileAgreement& file : calibration.files) {
    SCOPED_TRACE(file.name);
    std::cout << file.name << ": median error " << 100 * file.cross_validated.median_error
              << " %, Spearman " << file.cross_validated.spearman << " (plain "
              << 100 * file.plain.median_error << " %, " << file.plain.spearman << ")\n";
    EXPECT_LT(file.cross_validated.median_error, 0.1);
    EXPECT_GT(file.cross_validated.spearman, 0.98);
    EXPECT_LT(file.cross_validated.median_error, file.plain.median_error);
  }
  // Constants of the 128 x 128 machine's runs carry over to the 16 x 16 one.
  EXPECT_LT(calibration.files[1].other_files.median_error, 0.07);
}

TEST_F(RtlReference, TheConstantsInUseAreThoseOfTheFit) {
  std::vector<const RtlRun*> runs;
  for (const RtlFile& file : files_)
    for (const RtlRun& run : file.runs) runs.push_back(&run);
  const auto fit = named(fit_constants(runs)), used = named(accel::kGemminiConstants);
  for (std::size_t i = 0; i < fit.size(); ++i)
    EXPECT_NEAR(used[i].value / fit[i].value, 1, 0.01) << fit[i].name;
}

TEST_F(RtlReference, OursInTimeloopsAccountingIsNearTimeloop) {
  // The Timeloop that made this file charges each output once more in the accumulator.
  for (const RtlRun& run : files_[1].runs) {
    SCOPED_TRACE(run.mapping);
    const auto counts =
        accel::count_accesses(run.layer, run.machine, run.nest, accel::Accounting::timeloop);
    auto latency =
        accel::latency_of(counts, run.layer, run.machine, run.nest, accel::Accounting::timeloop);
    constexpr std::size_t accumulator = 2;
    const double outputs = static_cast<double>(run.layer.elements(Tensor::output)) /
                           static_cast<double>(counts.instances[accumulator]);
    latency.steady = std::max(latency.steady, latency.ports[accumulator].shared + outputs / 2);
    EXPECT_NEAR(static_cast<double>(latency.total().value), *run.timeloop_cycles,
                0.002 * *run.timeloop_cycles);
  }
}

}  // namespace
}  // namespace cosearch::codesign::test
