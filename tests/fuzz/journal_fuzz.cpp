// The journal beside a study. First byte 0: the rest is a journal file, of any damage. Else the
// rest is what a frame holds, as if its checksum had been right: even then nothing malformed is
// believed.
#include <string>

#include "datasets/byte_stream.h"
#include "datasets/journal.h"
#include "datasets/journal_payload.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/memory_file.h"

namespace {

using namespace cosearch;

void fuzz_file(std::string_view bytes) {
  const fuzz::MemoryFile file(bytes);
  const datasets::JournalReader reader(file.path());
  std::uint64_t points = 0, damaged = 0, last = 0;
  for (std::size_t i = 0; i < reader.batch_count(); ++i) {
    const datasets::JournalBatch batch = reader.batch(i);
    fuzz::check(batch.points.id.front() >= last, "batches come in the order of their first ids");
    last = batch.points.id.front();
    points += batch.points.size();
  }
  for (const datasets::JournalDamage& damage : reader.damage()) damaged += damage.bytes;
  fuzz::check(points == reader.point_count(), "every point is counted once");
  fuzz::check(damaged <= bytes.size() && reader.end() <= bytes.size(), "damage is inside the file");
}

// One network, one accelerator, one strategy and one metric.
datasets::StudyStart small_start() {
  datasets::StudyStart start;
  start.header.strategies = {"random"};
  start.metrics = {{"latency", "cycles", "minimise"}};
  start.networks.resize(1);
  start.accelerators = {{{"pes", ""}}, {{"a", "nvdla", {1}}}};
  return start;
}

void fuzz_payload(std::string_view bytes, bool is_start) {
  static const datasets::StudyStart start = small_start();
  try {
    std::string again;
    if (is_start)
      append_start(again, datasets::parse_start(bytes));
    else
      append_batch(again, datasets::parse_batch(bytes, start));
    // A library listed twice counts once: then what is written is shorter.
    fuzz::check(again.size() <= bytes.size(), "nothing is read that was not written");
  } catch (const datasets::ByteReader::Malformed&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest = fuzz::text_of(data + 1, size - 1);
  fuzz::accepts([&] {
    if (data[0] == 0)
      fuzz_file(rest);
    else
      fuzz_payload(rest, data[0] % 2 == 1);
  });
  return 0;
}
