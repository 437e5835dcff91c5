#include "datasets/study_store.h"

#include <gtest/gtest.h>
#include <hdf5.h>
#include <unistd.h>

#include "tests/datasets/study_fixture.h"
#include "tests/datasets/support.h"

namespace cosearch::datasets {
namespace {

using test::example_accelerators;
using test::example_header;
using test::example_metrics;
using test::example_networks;
using test::example_result;
using test::message_of;
using test::random_points;
using test::TemporaryFolder;
using test::write_example;

StudyStore create(const std::filesystem::path& path) {
  return StudyStore::create(path, example_header(), example_metrics(), example_networks(),
                            example_accelerators());
}

std::size_t files_in(const TemporaryFolder& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder.path()),
                                                std::filesystem::directory_iterator()));
}

// Equal, and NaN where NaN is expected.
void expect_same(double a, double b) {
  if (std::isnan(b))
    EXPECT_TRUE(std::isnan(a));
  else
    EXPECT_EQ(a, b);
}

TEST(StudyStore, ReadsBackTheStudyAndItsDictionaries) {
  const TemporaryFolder folder;
  write_example(folder / "s.h5", 100);
  const StudyStore store = StudyStore::open(folder / "s.h5");
  EXPECT_EQ(store.header(), example_header());
  EXPECT_EQ(store.metrics(), example_metrics());
  const std::vector<NetworkRow> networks = store.networks();
  ASSERT_EQ(networks.size(), example_networks().size());
  for (std::size_t i = 0; i < networks.size(); ++i) {
    NetworkRow row = networks[i], expected = example_networks()[i];
    expect_same(row.accuracy, expected.accuracy);
    row.accuracy = expected.accuracy = 0;
    EXPECT_EQ(row, expected);
  }
  const AcceleratorTable accelerators = store.accelerators(), expected = example_accelerators();
  EXPECT_EQ(accelerators.parameters, expected.parameters);
  ASSERT_EQ(accelerators.rows.size(), expected.rows.size());
  for (std::size_t i = 0; i < expected.rows.size(); ++i) {
    EXPECT_EQ(accelerators.rows[i].name, expected.rows[i].name);
    EXPECT_EQ(accelerators.rows[i].template_name, expected.rows[i].template_name);
    for (std::size_t j = 0; j < expected.parameters.size(); ++j)
      expect_same(accelerators.rows[i].parameters[j], expected.rows[i].parameters[j]);
  }
}

TEST(StudyStore, ReadsBackTheResult) {
  const TemporaryFolder folder;
  write_example(folder / "s.h5", 100);
  const StudyStore store = StudyStore::open(folder / "s.h5");
  const StudyResult expected = example_result();
  EXPECT_EQ(store.front().ids, expected.front.ids);
  EXPECT_EQ(store.front().objectives, expected.front.objectives);
  EXPECT_EQ(store.front().reference_point, expected.front.reference_point);
  EXPECT_EQ(store.front().hypervolume, expected.front.hypervolume);
  EXPECT_EQ(store.result().counts, expected.counts);
  EXPECT_EQ(store.result().reasons, expected.reasons);
  EXPECT_FALSE(store.result().complete);
}

TEST(StudyStore, ReadsBackEveryPointAndAnyRange) {
  const TemporaryFolder folder;
  constexpr std::size_t kCount = 40'000;  // more than two chunks
  write_example(folder / "s.h5", kCount);
  const StudyStore store = StudyStore::open(folder / "s.h5");
  ASSERT_EQ(store.point_count(), kCount);
  EXPECT_EQ(store.points(0, kCount), random_points(0, kCount));
  EXPECT_EQ(store.points(16'380, 10), random_points(16'380, 10));
  EXPECT_EQ(store.points(kCount - 5, 100), random_points(kCount - 5, 5));
  EXPECT_EQ(store.points(kCount + 5, 100).size(), 0U);
}

TEST(StudyStore, FindsPointsByTheirIds) {
  const TemporaryFolder folder;
  write_example(folder / "s.h5", 20'000);
  const StudyStore store = StudyStore::open(folder / "s.h5");
  const PointBatch found = store.points_with(std::vector<std::uint64_t>{59'997, 0, 3 * 16'384});
  EXPECT_EQ(found.id, (std::vector<std::uint64_t>{59'997, 0, 3 * 16'384}));
  EXPECT_EQ(found.metrics[2][0], random_points(19'999, 1).metrics[2][0]);
  EXPECT_EQ(found.metrics[2][2], random_points(16'384, 1).metrics[2][0]);
  EXPECT_NE(message_of([&] {
              (void)store.points_with(std::vector<std::uint64_t>{4});
            }).find("s.h5: has no point 4"),
            std::string::npos);
}

TEST(StudyStore, HoldsStudiesWithoutPointsOrAccelerators) {
  const TemporaryFolder folder;
  auto store = StudyStore::create(folder / "s.h5", {}, {}, {}, {});
  store.finish({});
  const StudyStore read = StudyStore::open(folder / "s.h5");
  EXPECT_EQ(read.point_count(), 0U);
  EXPECT_EQ(read.points(0, 10).size(), 0U);
  EXPECT_TRUE(read.networks().empty());
  EXPECT_TRUE(read.accelerators().rows.empty());
  EXPECT_TRUE(read.front().ids.empty());
  EXPECT_TRUE(std::isnan(read.front().hypervolume));
  EXPECT_EQ(read.result().reasons, std::vector<std::string>{""});
}

TEST(StudyStore, KeepsLongConfigurationsVerbatim) {
  const TemporaryFolder folder;
  StudyHeader header = example_header();
  header.configuration = std::string(300'000, 'x') + "\r\nend";
  StudyStore::create(folder / "s.h5", header, {}, {}, {}).finish({});
  EXPECT_EQ(StudyStore::open(folder / "s.h5").header().configuration, header.configuration);
}

TEST(StudyStore, GivesTheSameBytesHoweverPointsAreBatched) {
  const TemporaryFolder folder;
  constexpr std::size_t kCount = 35'000;
  write_example(folder / "one.h5", kCount, kCount);
  for (const std::size_t batch : {1UL, 7UL, 4'097UL, 16'384UL, 16'385UL}) {
    SCOPED_TRACE(batch);
    const std::size_t count = batch == 1 ? 500 : kCount;
    if (batch == 1) write_example(folder / "one-small.h5", count, count);
    write_example(folder / "many.h5", count, batch);
    EXPECT_TRUE(test::read_bytes(folder / "many.h5") ==
                test::read_bytes(folder / (batch == 1 ? "one-small.h5" : "one.h5")));
  }
}

TEST(StudyStore, ReplacesAnOlderFileOnlyWhenFinished) {
  const TemporaryFolder folder;
  test::write_bytes(folder / "s.h5", "older");
  auto store = create(folder / "s.h5");
  store.append(random_points(0, 20'000));
  EXPECT_EQ(test::read_bytes(folder / "s.h5"), "older");
  store.finish(example_result());
  EXPECT_EQ(StudyStore::open(folder / "s.h5").point_count(), 20'000U);
  EXPECT_EQ(files_in(folder), 1U);
}

TEST(StudyStore, LeavesNothingBehindWhenItIsNotFinished) {
  const TemporaryFolder folder;
  try {
    auto store = create(folder / "s.h5");
    store.append(random_points(0, 20'000));
    throw std::runtime_error("the search failed");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(files_in(folder), 0U);
}

TEST(StudyStore, RefusesFoldersItCannotWriteTo) {
  const TemporaryFolder folder;
  EXPECT_NE(message_of<FileError>([&] {
              create(folder / "none/s.h5");
            }).find("none/s.h5: cannot write: No such file or directory"),
            std::string::npos);
  EXPECT_NE(message_of<FileError>([&] { create(folder.path()); }).find("this is a folder"),
            std::string::npos);
  using std::filesystem::perms;
  std::filesystem::permissions(folder.path(), perms::owner_read | perms::owner_exec);
  const bool was_root = ::geteuid() == 0;  // root may write to read-only folders; nobody may not
  if (was_root) std::filesystem::permissions(folder.path(), perms{0555});
  if (was_root && ::seteuid(65534) != 0) GTEST_SKIP() << "cannot give up root's rights";
  const std::string message = message_of<FileError>([&] { create(folder / "s.h5"); });
  ASSERT_EQ(was_root ? ::seteuid(0) : 0, 0);
  std::filesystem::permissions(folder.path(), perms::owner_all);
  EXPECT_NE(message.find("s.h5: cannot write: Permission denied"), std::string::npos) << message;
}

TEST(StudyStore, RefusesBatchesThatBreakItsPromises) {
  const TemporaryFolder folder;
  StudyStore store = create(folder / "s.h5");
  store.append(random_points(10, 2));
  const auto refused = [&](auto change) {
    PointBatch batch = random_points(20, 3);
    change(batch);
    EXPECT_THROW(store.append(batch), std::invalid_argument);
  };
  refused([](PointBatch& batch) { batch.step.pop_back(); });
  refused([](PointBatch& batch) { batch.metrics.pop_back(); });
  refused([](PointBatch& batch) { batch.metrics[1].push_back(0); });
  refused([](PointBatch& batch) { batch.network[1] = 3; });
  refused([](PointBatch& batch) { batch.accelerator[1] = 2; });
  refused([](PointBatch& batch) { batch.strategy[2] = 2; });
  refused([](PointBatch& batch) { batch.accuracy_source[2] = 2; });
  refused([](PointBatch& batch) { batch.accuracy_spread.pop_back(); });
  refused([](PointBatch& batch) { batch.id[0] = 33; });  // already given
  refused([](PointBatch& batch) { batch.id[2] = batch.id[1]; });
  store.append(random_points(20, 3));
  store.finish(example_result());
  EXPECT_EQ(StudyStore::open(folder / "s.h5").point_count(), 5U);
}

TEST(StudyStore, RefusesColumnNamesThatAreTaken) {
  const TemporaryFolder folder;
  for (const char* name : {"id", "network", "accuracy_source", "a/b", "", "."})
    EXPECT_THROW(StudyStore::create(folder / "s.h5", {}, {{name, "", "minimise"}}, {}, {}),
                 std::invalid_argument);
  EXPECT_THROW(StudyStore::create(folder / "s.h5", {}, {{"x", "", "down"}}, {}, {}),
               std::invalid_argument);
  EXPECT_THROW(StudyStore::create(folder / "s.h5", {}, {}, {}, {{{"template", ""}}, {}}),
               std::invalid_argument);
  EXPECT_EQ(files_in(folder), 0U);
}

TEST(StudyStore, SaysWhyAFileIsNoStudy) {
  const TemporaryFolder folder;
  EXPECT_NE(message_of<FileError>([&] {
              StudyStore::open(folder / "none.h5");
            }).find("none.h5: cannot open: no such file"),
            std::string::npos);
  EXPECT_THROW(StudyStore::open(folder.path()), FileError);
  test::write_bytes(folder / "text.h5", "name: study\n");
  EXPECT_NE(message_of([&] { StudyStore::open(folder / "text.h5"); }).find("is not an HDF5 file"),
            std::string::npos);
  test::write_bytes(folder / "empty.h5", "");
  EXPECT_THROW(StudyStore::open(folder / "empty.h5"), UserError);
  H5Fclose(H5Fcreate((folder / "other.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  EXPECT_NE(message_of([&] {
              StudyStore::open(folder / "other.h5");
            }).find("other.h5: is an HDF5 file but not a cosearch study"),
            std::string::npos);
}

TEST(StudyStore, RefusesANewerFormatByItsVersion) {
  const TemporaryFolder folder;
  write_example(folder / "s.h5", 10);
  const hid_t file = H5Fopen((folder / "s.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t attribute = H5Aopen(file, "schema_version", H5P_DEFAULT);
  const unsigned version = 7;
  H5Awrite(attribute, H5T_NATIVE_UINT, &version);
  H5Aclose(attribute);
  H5Fclose(file);
  EXPECT_NE(message_of([&] {
              StudyStore::open(folder / "s.h5");
            }).find("s.h5: has schema_version 7; this program reads up to 2"),
            std::string::npos);
}

TEST(StudyStore, RefusesAStudyWhoseConfigurationWasChanged) {
  const TemporaryFolder folder;
  write_example(folder / "s.h5", 10);
  const hid_t file = H5Fopen((folder / "s.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t study = H5Gopen2(file, "study", H5P_DEFAULT);
  const hid_t attribute = H5Aopen(study, "configuration", H5P_DEFAULT);
  const hid_t type = H5Aget_type(attribute);
  std::string other = example_header().configuration;
  other[other.find('1')] = '2';
  ASSERT_GE(H5Awrite(attribute, type, other.c_str()), 0);
  H5Tclose(type);
  H5Aclose(attribute);
  H5Gclose(study);
  H5Fclose(file);
  EXPECT_NE(message_of<FileError>([&] {
              StudyStore::open(folder / "s.h5");
            }).find("the configuration does not match its hash"),
            std::string::npos);
}

/// Reads everything; true when it was refused with a UserError. Any other end fails the test.
bool is_refused(const std::filesystem::path& path) {
  try {
    const StudyStore store = StudyStore::open(path);
    (void)store.networks();
    (void)store.accelerators();
    (void)store.points(0, store.point_count());
    return false;
  } catch (const UserError& error) {
    EXPECT_NE(std::string(error.what()).find(path.filename().string()), std::string::npos);
    return true;
  }
}

TEST(StudyStore, RefusesEveryTruncation) {
  const TemporaryFolder folder;
  write_example(folder / "s.h5", 3000);
  const std::string bytes = test::read_bytes(folder / "s.h5");
  for (std::size_t i = 0; i < 60; ++i) {
    const std::size_t size = bytes.size() * i / 60;
    SCOPED_TRACE(size);
    test::write_bytes(folder / "cut.h5", bytes.substr(0, size));
    EXPECT_TRUE(is_refused(folder / "cut.h5"));
  }
}

// A changed byte may be harmless (unused space), but never a crash, a hang or a foreign exception.
TEST(StudyStore, SurvivesChangedBytes) {
  const TemporaryFolder folder;
  write_example(folder / "s.h5", 200);
  const std::string bytes = test::read_bytes(folder / "s.h5");
  constexpr std::size_t kStep = 101;  // odd: no alignment of HDF5's structures is skipped
  std::size_t refused = 0;
  for (std::size_t at = 0; at < bytes.size(); at += kStep) {
    SCOPED_TRACE(at);
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ (at % 2 ? 0xFF : 0x01));
    test::write_bytes(folder / "changed.h5", changed);
    if (is_refused(folder / "changed.h5")) ++refused;
  }
  EXPECT_GT(refused, 0U);
}

TEST(StudyStore, PrintsNothingOfHdf5sOwn) {
  const TemporaryFolder folder;
  write_example(folder / "s.h5", 3000);
  const std::string bytes = test::read_bytes(folder / "s.h5");
  test::write_bytes(folder / "cut.h5", bytes.substr(0, bytes.size() / 2));
  testing::internal::CaptureStderr();
  EXPECT_TRUE(is_refused(folder / "cut.h5"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace cosearch::datasets
