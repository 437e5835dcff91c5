#include "datasets/study_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "datasets/writer_lock.h"
#include "study_fixture.h"
#include "support.h"

namespace cosearch::datasets {
namespace {

using test::message_of;
using test::random_points;
using test::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> kReasons{"", "buffer of the array too small"};

StudyStart example_start() {
  return {test::example_header(),       test::example_metrics(), test::example_networks(),
          test::example_accelerators(), {"accuracy", "latency"}, true};
}

std::vector<std::string> files_in(const TemporaryFolder& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

StudyLog begin(const std::filesystem::path& path) {
  return StudyLog(WriterLock(path), example_start());
}

// Every point that was left at `path`.
std::vector<std::uint64_t> ids_at(const std::filesystem::path& path) {
  EarlierPoints earlier(path);
  std::vector<std::uint64_t> ids;
  for (PointBatch run = earlier.next(); run.size() > 0; run = earlier.next()) {
    EXPECT_EQ(run, random_points(run.id.front() / 3, run.size()));
    ids.insert(ids.end(), run.id.begin(), run.id.end());
  }
  return ids;
}

std::vector<std::uint64_t> ids_of(std::uint64_t first, std::size_t count) {
  return random_points(first, count).id;
}

// The same points, as one store that nothing disturbed.
std::string undisturbed(const TemporaryFolder& folder, std::size_t count) {
  test::write_example(folder / "undisturbed", count);
  const std::string bytes = test::read_bytes(folder / "undisturbed");
  std::filesystem::remove(folder / "undisturbed");
  return bytes;
}

// Goes on at `path` with points up to `count`, and finishes.
void complete(const std::filesystem::path& path, std::size_t count) {
  WriterLock lock(path);
  EarlierPoints earlier(path);
  StudyLog log(std::move(lock), earlier);
  std::uint64_t next = 0;
  for (PointBatch run = earlier.next(); run.size() > 0; run = earlier.next()) {
    if (run.id.front() / 3 > next)  // what was lost is done again
      log.append(random_points(next, run.id.front() / 3 - next), kReasons, 9);
    log.copy(run);
    next = run.id.back() / 3 + 1;
  }
  if (next < count) log.append(random_points(next, count - next), kReasons, 9);
  log.finish(test::example_result());
}

TEST(StudyLog, EndsAsAStoreAndNothingElse) {
  const TemporaryFolder folder;
  {
    StudyLog log = begin(folder / "s.h5");
    log.append(random_points(0, 20'000), kReasons, 7);
    EXPECT_THAT(files_in(folder),
                ElementsAre("s.h5.journal", "s.h5.lock", testing::StartsWith("s.h5.partial-")));
    log.finish(test::example_result());
  }
  EXPECT_THAT(files_in(folder), ElementsAre("s.h5"));
  EXPECT_EQ(test::read_bytes(folder / "s.h5"), undisturbed(folder, 20'000));
}

TEST(StudyLog, KeepsEveryAcknowledgedPointWhenItIsCutOff) {
  const TemporaryFolder folder;
  {
    StudyLog log = begin(folder / "s.h5");
    log.append(random_points(0, 300), kReasons, 7);
    log.append(random_points(300, 20), kReasons, 8);
  }
  EXPECT_THAT(files_in(folder), ElementsAre("s.h5.journal"));
  EXPECT_EQ(ids_at(folder / "s.h5"), ids_of(0, 320));
  EarlierPoints earlier(folder / "s.h5");
  EXPECT_EQ(earlier.reasons(), kReasons);
  EXPECT_EQ(earlier.layer_evaluations(), 8U);
  complete(folder / "s.h5", 500);
  EXPECT_EQ(test::read_bytes(folder / "s.h5"), undisturbed(folder, 500));
  EXPECT_THAT(files_in(folder), ElementsAre("s.h5"));
}

TEST(StudyLog, LeavesNothingWhenNothingWasAcknowledged) {
  const TemporaryFolder folder;
  { StudyLog log = begin(folder / "s.h5"); }
  EXPECT_TRUE(files_in(folder).empty());
}

TEST(StudyLog, GoesOnFromAFinishedStore) {
  const TemporaryFolder folder;
  test::write_example(folder / "s.h5", 100);
  const std::string before = test::read_bytes(folder / "s.h5");
  {
    WriterLock lock(folder / "s.h5");
    EarlierPoints earlier(folder / "s.h5");
    StudyLog log(std::move(lock), earlier);
    log.copy(earlier.next());
    log.append(random_points(100, 50), kReasons, 7);
  }
  EXPECT_EQ(test::read_bytes(folder / "s.h5"), before);
  EXPECT_EQ(ids_at(folder / "s.h5"), ids_of(0, 150));
  complete(folder / "s.h5", 200);
  EXPECT_EQ(test::read_bytes(folder / "s.h5"), undisturbed(folder, 200));
}

TEST(StudyLog, FillsAHoleThatDamageTore) {
  const TemporaryFolder folder;
  std::vector<std::uint64_t> ends;
  {
    StudyLog log = begin(folder / "s.h5");
    for (std::uint64_t first = 0; first < 400; first += 100) {
      log.append(random_points(first, 100), kReasons, 7);
      ends.push_back(std::filesystem::file_size(folder / "s.h5.journal"));
    }
  }
  std::string bytes = test::read_bytes(folder / "s.h5.journal");
  bytes[ends[1] + 100] ^= 4;
  test::write_bytes(folder / "s.h5.journal", bytes);
  EarlierPoints earlier(folder / "s.h5");
  EXPECT_THAT(earlier.notices(),
              ElementsAre(HasSubstr("at offset " + std::to_string(ends[1]) + " are damaged")));
  EXPECT_EQ(ids_at(folder / "s.h5").size(), 300U);
  complete(folder / "s.h5", 450);
  EXPECT_EQ(test::read_bytes(folder / "s.h5"), undisturbed(folder, 450));
}

// Killed after the fold and before the journal is gone: both hold the same points.
TEST(StudyLog, CountsPointsOnceThatBothFilesHold) {
  const TemporaryFolder folder;
  { begin(folder / "s.h5").append(random_points(0, 300), kReasons, 7); }
  const std::string journal = test::read_bytes(folder / "s.h5.journal");
  complete(folder / "s.h5", 300);
  test::write_bytes(folder / "s.h5.journal", journal);
  EXPECT_EQ(ids_at(folder / "s.h5"), ids_of(0, 300));
}

TEST(StudyLog, RefusesAStoreThatIsNotItsJournals) {
  const TemporaryFolder folder;
  test::write_example(folder / "s.h5", 100);
  {
    WriterLock lock(folder / "s.h5");
    StudyLog log(std::move(lock), EarlierPoints(folder / "s.h5"));
    log.append(random_points(100, 50), kReasons, 7);
  }
  StudyHeader other = test::example_header();
  other.created = "2024-05-06T07:08:09Z";
  StudyStore::create(folder / "s.h5", other, {}, {}, {}).finish({});
  EXPECT_THAT(message_of<FileError>([&] { EarlierPoints earlier(folder / "s.h5"); }),
              HasSubstr("s.h5: is not the study that its journal belongs to"));
}

TEST(StudyLog, RemovesWhatAKilledWriterLeftHalfDone) {
  const TemporaryFolder folder;
  test::write_bytes(folder / "s.h5.partial-1-0", "half");
  test::write_bytes(folder / "s.h5.lock", "process 999999999 on here\n");
  {
    StudyLog log = begin(folder / "s.h5");
    log.finish({});
  }
  EXPECT_THAT(files_in(folder), ElementsAre("s.h5"));
}

TEST(WriterLock, RefusesASecondWriterByTheNameOfTheFirst) {
  const TemporaryFolder folder;
  const WriterLock lock(folder / "s.h5");
  const std::string said = message_of<FileError>([&] { WriterLock second(folder / "s.h5"); });
  EXPECT_THAT(said, HasSubstr("s.h5: process " + std::to_string(::getpid()) + " on "));
  EXPECT_THAT(said, HasSubstr("is writing this file"));
}

TEST(WriterLock, OfAProcessThatWasKilledDoesNotBlock) {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    const WriterLock lock(folder / "s.h5");
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_THAT(files_in(folder), ElementsAre("s.h5.lock"));
  { const WriterLock lock(folder / "s.h5"); }
  EXPECT_TRUE(files_in(folder).empty());
}

}  // namespace
}  // namespace cosearch::datasets
