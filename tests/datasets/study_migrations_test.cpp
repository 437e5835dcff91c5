// Studies that older programs wrote open as if today's had written them. Each file of tests/golden
// was written by the program of its day, from the example study with 40 points.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "datasets/journal.h"
#include "datasets/study_log.h"
#include "tests/datasets/study_fixture.h"
#include "tests/datasets/support.h"

namespace cosearch::datasets {
namespace {

using test::TemporaryFolder;

constexpr std::size_t kPoints = 40;

std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(COSEARCH_SOURCE_DIR) / "tests/golden" / name;
}

// What the files of that day could say.
StudyHeader header_without_hashes() {
  StudyHeader header = test::example_header();
  header.library_versions["HDF5"] = "1.10.8";
  header.input_hashes = {};
  header.space_file = "";
  header.accuracy_sources = {"", "table"};
  header.machine_files = {};
  return header;
}

// The same of points: every accuracy was a table's.
PointBatch points_of_tables(std::uint64_t first, std::size_t count) {
  PointBatch points = test::random_points(first, count);
  points.accuracy_source.assign(count, 1);
  points.accuracy_spread.assign(count, std::numeric_limits<double>::quiet_NaN());
  return points;
}

// NaN is as good as NaN.
bool is_same(PointBatch a, PointBatch b) {
  for (PointBatch* batch : {&a, &b})
    for (double& spread : batch->accuracy_spread)
      if (std::isnan(spread)) spread = -1;
  return a == b;
}

class OlderStudy : public testing::TestWithParam<const char*> {};

TEST_P(OlderStudy, Opens) {
  const std::string bytes = test::read_bytes(golden(GetParam()));
  const StudyStore store = StudyStore::open(golden(GetParam()));
  EXPECT_EQ(store.header(), header_without_hashes());
  EXPECT_EQ(store.metrics(), test::example_metrics());
  EXPECT_TRUE(is_same(store.points(0, 100), points_of_tables(0, kPoints)));
  EXPECT_EQ(store.networks().at(0), test::example_networks().at(0));
  EXPECT_EQ(store.networks().at(1).name, test::example_networks().at(1).name);
  EXPECT_EQ(store.networks().size(), test::example_networks().size());
  EXPECT_EQ(store.accelerators().parameters, test::example_accelerators().parameters);
  EXPECT_EQ(store.accelerators().rows.at(0).parameters,
            test::example_accelerators().rows.at(0).parameters);
  EXPECT_EQ(store.front().ids, test::example_result().front.ids);
  EXPECT_EQ(store.front().objectives, test::example_result().front.objectives);
  EXPECT_EQ(store.front().reference_point, test::example_result().front.reference_point);
  EXPECT_EQ(store.result().counts, test::example_result().counts);
  EXPECT_EQ(store.result().reasons, test::example_result().reasons);
  EXPECT_EQ(test::read_bytes(golden(GetParam())), bytes) << "reading changes no file";
}

TEST_P(OlderStudy, GoesOnAsOneOfToday) {
  const TemporaryFolder folder;
  std::filesystem::copy_file(golden(GetParam()), folder / "s.h5");
  {
    EarlierPoints earlier(folder / "s.h5");
    StudyLog log(WriterLock(folder / "s.h5"), earlier);
    for (PointBatch run = earlier.next(); run.size() > 0; run = earlier.next()) log.copy(run);
    log.append(test::random_points(kPoints, 5), earlier.reasons(), 50);
    log.finish(test::example_result());
  }
  auto expected =
      StudyStore::create(folder / "new.h5", header_without_hashes(), test::example_metrics(),
                         test::example_networks(), test::example_accelerators());
  expected.append(points_of_tables(0, kPoints));
  expected.append(test::random_points(kPoints, 5));
  expected.finish(test::example_result());
  EXPECT_TRUE(test::read_bytes(folder / "s.h5") == test::read_bytes(folder / "new.h5"));
}

INSTANTIATE_TEST_SUITE_P(Schema, OlderStudy,
                         testing::Values("study_before_schema_1.h5", "study_schema_1.h5"),
                         [](const auto& info) {
                           return std::filesystem::path(info.param).stem().string();
                         });

TEST(OlderJournal, OfVersion1IsReplayed) {
  const JournalReader journal(golden("study_version_1.journal"));
  ASSERT_TRUE(journal.start());
  EXPECT_TRUE(journal.damage().empty());
  EXPECT_EQ(journal.start()->header, header_without_hashes());
  EXPECT_EQ(journal.start()->objectives, (std::vector<std::string>{"accuracy", "latency"}));
  ASSERT_EQ(journal.batch_count(), 2U);
  EXPECT_TRUE(is_same(journal.batch(0).points, points_of_tables(0, 25)));
  EXPECT_TRUE(is_same(journal.batch(1).points, points_of_tables(25, 15)));
  EXPECT_EQ(journal.reasons(), test::example_result().reasons);
}

}  // namespace
}  // namespace cosearch::datasets
