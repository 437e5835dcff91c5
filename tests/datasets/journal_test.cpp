#include "datasets/journal.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/time.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <csignal>
#include <cstring>

#include "core/random.h"
#include "study_fixture.h"
#include "support.h"

namespace cosearch::datasets {
namespace {

using test::message_of;
using test::TemporaryFolder;
using testing::HasSubstr;

StudyStart example_start() {
  return {test::example_header(),       test::example_metrics(), test::example_networks(),
          test::example_accelerators(), {"accuracy", "latency"}, true};
}

JournalBatch batch_of(std::uint64_t first, std::size_t count) {
  JournalBatch batch{test::random_points(first, count), 1, {}, first + count};
  if (first == 0) batch.reasons = {"buffer of the array too small"};
  return batch;
}

// `count` batches of growing size, beside `store`; where each ends.
std::vector<std::uint64_t> write_journal(const std::filesystem::path& store, std::size_t count) {
  JournalWriter writer = JournalWriter::create(store, example_start());
  std::vector<std::uint64_t> ends{writer.size()};
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < count; ++i) {
    writer.append(batch_of(first, 1 + i));
    first += 1 + i;
    ends.push_back(writer.size());
  }
  return ends;
}

// What is read is exactly some of the batches that were written, in their order.
std::vector<std::size_t> batches_read(const JournalReader& reader, std::size_t written) {
  std::vector<std::size_t> found;
  std::size_t next = 0;
  for (std::size_t i = 0; i < reader.batch_count(); ++i) {
    const JournalBatch batch = reader.batch(i);
    std::uint64_t first = 0;
    for (next = 0; next < written; first += 1 + next++)
      if (batch == batch_of(first, 1 + next)) break;
    EXPECT_LT(next, written) << "a batch that nobody wrote";
    found.push_back(next);
  }
  return found;
}

TEST(Journal, ReadsBackWhatWasAppended) {
  const TemporaryFolder folder;
  write_journal(folder / "s", 5);
  const JournalReader reader(folder / "s.journal");
  ASSERT_TRUE(reader.start().has_value());
  EXPECT_EQ(reader.start()->header, test::example_header());
  EXPECT_EQ(reader.start()->metrics, test::example_metrics());
  EXPECT_EQ(reader.start()->objectives, (std::vector<std::string>{"accuracy", "latency"}));
  EXPECT_EQ(reader.start()->accelerators.rows.size(), 2U);
  EXPECT_EQ(reader.start()->networks.size(), 3U);
  EXPECT_EQ(batches_read(reader, 5), (std::vector<std::size_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(reader.point_count(), 15U);
  EXPECT_EQ(reader.reasons(), (std::vector<std::string>{"", "buffer of the array too small"}));
  EXPECT_TRUE(reader.damage().empty());
  EXPECT_EQ(reader.end(), std::filesystem::file_size(folder / "s.journal"));
}

// As FORMAT.md has it: XXH3 of the payload, its seed the XXH3 of the 24 bytes before the checksum.
std::string with_version(std::string frames, std::uint32_t version) {
  std::memcpy(frames.data() + 8, &version, sizeof version);
  std::uint64_t length = 0;
  std::memcpy(&length, frames.data() + 16, sizeof length);
  const std::uint64_t checksum =
      XXH3_64bits_withSeed(frames.data() + 32, length, XXH3_64bits(frames.data(), 24));
  std::memcpy(frames.data() + 24, &checksum, sizeof checksum);
  return frames;
}

TEST(Journal, RefusesANewerVersionByItsNumber) {
  const TemporaryFolder folder;
  write_journal(folder / "s", 2);
  const std::string bytes = test::read_bytes(folder / "s.journal");
  EXPECT_EQ(with_version(bytes, 2), bytes);
  test::write_bytes(folder / "s.journal", with_version(bytes, 3));
  EXPECT_THAT(message_of([&] { JournalReader(folder / "s.journal"); }),
              HasSubstr("s.journal: has journal version 3; this program reads up to 2"));
}

TEST(Journal, DropsATornLastFrameWhereverItIsCut) {
  const TemporaryFolder folder;
  const std::vector<std::uint64_t> ends = write_journal(folder / "s", 6);
  const std::string bytes = test::read_bytes(folder / "s.journal");
  for (std::size_t size = bytes.size() - std::min<std::size_t>(bytes.size(), 4096);
       size < bytes.size(); ++size) {
    SCOPED_TRACE(size);
    test::write_bytes(folder / "cut", bytes.substr(0, size));
    const JournalReader reader(folder / "cut");
    const auto whole = std::ranges::count_if(ends, [&](std::uint64_t end) { return end <= size; });
    EXPECT_EQ(batches_read(reader, 6).size(),
              static_cast<std::size_t>(std::max<long>(0, whole - 1)));
    ASSERT_EQ(reader.damage().empty(), reader.end() == size);
    if (!reader.damage().empty()) {
      EXPECT_TRUE(reader.damage()[0].is_torn_end);
      EXPECT_EQ(reader.damage()[0].bytes, size - reader.end());
    }
  }
}

TEST(Journal, GoesOnWhereATornFrameBegan) {
  const TemporaryFolder folder;
  write_journal(folder / "s", 3);
  const std::string bytes = test::read_bytes(folder / "s.journal");
  test::write_bytes(folder / "s.journal", bytes.substr(0, bytes.size() - 7));
  const std::uint64_t end = JournalReader(folder / "s.journal").end();
  JournalWriter::reopen(folder / "s", end).append(batch_of(3, 3));
  EXPECT_EQ(test::read_bytes(folder / "s.journal"), bytes);
}

TEST(Journal, ReportsADamagedFrameAndKeepsWhatIsAroundIt) {
  const TemporaryFolder folder;
  const std::vector<std::uint64_t> ends = write_journal(folder / "s", 4);
  std::string bytes = test::read_bytes(folder / "s.journal");
  bytes[ends[1] + 40] ^= 1;
  test::write_bytes(folder / "s.journal", bytes);
  const JournalReader reader(folder / "s.journal");
  EXPECT_EQ(batches_read(reader, 4), (std::vector<std::size_t>{0, 2, 3}));
  ASSERT_EQ(reader.damage().size(), 1U);
  EXPECT_EQ(reader.damage()[0].offset, ends[1]);
  EXPECT_EQ(reader.damage()[0].bytes, ends[2] - ends[1]);
  EXPECT_THAT(
      describe(reader.damage()[0], "s.h5.journal"),
      HasSubstr(fmt::format("{} bytes at offset {} are damaged", ends[2] - ends[1], ends[1])));
}

TEST(Journal, BelievesNoFlippedBit) {
  const TemporaryFolder folder;
  write_journal(folder / "s", 6);
  const std::string bytes = test::read_bytes(folder / "s.journal");
  Random random(11, "bit flips");
  for (int i = 0; i < 1'000; ++i) {
    SCOPED_TRACE(i);
    std::string changed = bytes;
    changed[random.below(bytes.size())] ^= static_cast<char>(1 << random.below(8));
    test::write_bytes(folder / "changed", changed);
    const JournalReader reader(folder / "changed");
    EXPECT_GE(batches_read(reader, 6).size(), 5U);  // one frame at most is lost
    ASSERT_TRUE(reader.start().has_value());
    EXPECT_EQ(reader.start()->header, test::example_header());
    EXPECT_EQ(reader.damage().size(), 1U);
  }
}

TEST(Journal, OfAWriterThatDiedAtOnceIsEmpty) {
  const TemporaryFolder folder;
  for (const std::string& bytes : {std::string(),
                                   std::string("\x93"
                                               "CS"),
                                   std::string(100, '\0')}) {
    test::write_bytes(folder / "s.journal", bytes);
    EXPECT_FALSE(JournalReader(folder / "s.journal").start().has_value());
  }
}

TEST(Journal, RefusesAFileThatIsNone) {
  const TemporaryFolder folder;
  test::write_bytes(folder / "s.journal", "a diary, dear journal\n");
  EXPECT_THAT(message_of([&] { JournalReader reader(folder / "s.journal"); }),
              HasSubstr("not a journal"));
}

// The interrupted system calls of a process whose timer rings every 200 microseconds.
TEST(Journal, IsNotTroubledByInterruptedCalls) {
  const TemporaryFolder folder;
  struct sigaction action = {}, before = {};
  action.sa_handler = [](int) {};  // without SA_RESTART: calls return EINTR
  sigaction(SIGALRM, &action, &before);
  const itimerval often{{0, 200}, {0, 200}}, never{};
  setitimer(ITIMER_REAL, &often, nullptr);
  write_journal(folder / "s", 40);
  const JournalReader reader(folder / "s.journal");
  const std::size_t count = batches_read(reader, 40).size();
  setitimer(ITIMER_REAL, &never, nullptr);
  sigaction(SIGALRM, &before, nullptr);
  EXPECT_EQ(count, 40U);
}

}  // namespace
}  // namespace cosearch::datasets
