#include "datasets/journal.h"

#define XXH_INLINE_ALL  // headers only: nothing to link, and faster for short inputs
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/user_error.h"
#include "datasets/byte_stream.h"
#include "datasets/journal_payload.h"

namespace cosearch::datasets {
namespace {

// Not a beginning of text, and damaged by a transfer that changes line ends.
constexpr std::string_view kMagic =
    "\x93"
    "CSJ\r\n\x1a\n";
enum FrameKind : std::uint32_t { kStart = 1, kBatch = 2 };

// Every version's frames begin with magic, version, kind, length of the payload and checksum.
constexpr std::uint64_t kHeadSize = 32;

std::string head_without_checksum(std::uint32_t version, std::uint32_t kind, std::uint64_t length) {
  std::string bytes(kMagic);
  ByteWriter out(bytes);
  out.put(version);
  out.put(kind);
  out.put(length);
  return bytes;
}

// XXH3, 64 bits (Y. Collet), of all other bytes of the frame.
std::uint64_t checksum_of(std::string_view head, std::string_view payload) {
  return XXH3_64bits_withSeed(payload.data(), payload.size(),
                              XXH3_64bits(head.data(), kHeadSize - sizeof(std::uint64_t)));
}

}  // namespace

std::filesystem::path journal_of(const std::filesystem::path& store) {
  return store.string() + ".journal";
}

JournalWriter JournalWriter::create(const std::filesystem::path& store, const StudyStart& start) {
  const std::filesystem::path path = journal_of(store);
  JournalWriter writer(Descriptor(path, O_CREAT | O_TRUNC | O_WRONLY, store), 0);
  std::string payload;
  append_start(payload, start);
  try {
    // Twice: without it no point could be understood, so one damaged place must not take it.
    writer.append_frame(kStart, payload);
    writer.append_frame(kStart, payload);
  } catch (const FileError&) {
    ::unlink(path.c_str());
    throw;
  }
  synchronise_folder_of(path);
  return writer;
}

JournalWriter JournalWriter::reopen(const std::filesystem::path& store, std::uint64_t end) {
  JournalWriter writer(Descriptor(journal_of(store), O_WRONLY, store), end);
  writer.file_.truncate(end);
  writer.file_.synchronise();
  return writer;
}

void JournalWriter::append(const JournalBatch& batch) {
  payload_.clear();
  append_batch(payload_, batch);
  append_frame(kBatch, payload_);
}

void JournalWriter::append_frame(std::uint32_t kind, std::string_view payload) {
  std::string head = head_without_checksum(kJournalVersion, kind, payload.size());
  ByteWriter(head).put(checksum_of(head, payload));
  try {
    file_.write_at(end_, head);
    file_.write_at(end_ + head.size(), payload);
    file_.synchronise();
  } catch (const FileError&) {
    // What was written of it, on a disk that is full say, is no part of the journal.
    try {
      file_.truncate(end_);
    } catch (const FileError&) {  // the reader drops it as well
    }
    throw;
  }
  end_ += head.size() + payload.size();
}

std::string describe(const JournalDamage& damage, const std::filesystem::path& journal) {
  if (damage.is_torn_end)
    return fmt::format("{}: the last {} bytes, at offset {}, were not finished and are dropped",
                       journal.string(), damage.bytes, damage.offset);
  return fmt::format(
      "{}: {} bytes at offset {} are damaged and left out; all before and after is "
      "kept",
      journal.string(), damage.bytes, damage.offset);
}

JournalReader::JournalReader(const std::filesystem::path& path) : file_(path, O_RDONLY) { scan(); }

void JournalReader::scan() {
  size_ = file_.size();
  // Frames that stand where one is expected, else wherever the next one is found.
  for (std::uint64_t expected = 0; expected < size_;) {
    std::uint64_t offset = expected, next = accept_frame_at(offset);
    while (next == offset && offset < size_) {
      offset = next_magic_after(offset);
      next = accept_frame_at(offset);
    }
    if (offset > expected) damage_.push_back({expected, offset - expected, offset == size_});
    if (offset < size_) end_ = next;
    expected = next;
  }
  std::sort(batches_.begin(), batches_.end());
  payload_ = {};
  if (end_ == 0 && !may_be_unborn()) throw UserError({file_.name().string()}, "is not a journal");
}

// A power cut may leave a part of the first frame, or zeros in its place; nothing was acknowledged.
bool JournalReader::may_be_unborn() const {
  std::array<char, kMagic.size()> first{};
  const std::string_view found(first.data(), file_.read_at(0, first));
  return kMagic.starts_with(found) || found.find_first_not_of('\0') == std::string_view::npos;
}

// Where the frame at `offset` ends; `offset` itself when there is no valid one.
std::uint64_t JournalReader::accept_frame_at(std::uint64_t offset) {
  std::array<char, kHeadSize> head;
  if (size_ - offset < kHeadSize || file_.read_at(offset, head) < kHeadSize) return offset;
  ByteReader in({head.data(), head.size()});
  if (in.take<std::uint64_t>() != ByteReader(kMagic).take<std::uint64_t>()) return offset;
  const auto version = in.take<std::uint32_t>();
  const auto kind = in.take<std::uint32_t>();
  const auto length = in.take<std::uint64_t>();
  if (length > size_ - offset - kHeadSize) return offset;
  payload_.resize(length);
  if (file_.read_at(offset + kHeadSize, payload_) < length) return offset;
  if (in.take<std::uint64_t>() != checksum_of({head.data(), head.size()}, payload_)) return offset;
  if (version > kJournalVersion)
    throw UserError({file_.name().string()},
                    fmt::format("has journal version {}; this program reads up to {}", version,
                                kJournalVersion));
  try {
    if (kind == kStart) {
      start_ = parse_start(payload_, version);
    } else if (kind == kBatch && start_) {
      note(parse_batch(payload_, *start_), offset);
    } else if (kind == kBatch) {
      throw FileError({file_.name().string()},
                      "both copies of its beginning are damaged: its points cannot be read");
    }
  } catch (const ByteReader::Malformed&) {
    return offset;
  }
  return offset + kHeadSize + length;
}

void JournalReader::note(const JournalBatch& batch, std::uint64_t offset) {
  batches_.push_back({batch.points.id.front(), offset});
  point_count_ += batch.points.size();
  layer_evaluations_ = std::max(layer_evaluations_, batch.layer_evaluations);
  const std::size_t named = std::size_t{std::ranges::max(batch.points.reason)} + 1;
  reasons_.resize(std::max({reasons_.size(), named, batch.first_reason + batch.reasons.size()}));
  std::ranges::copy(batch.reasons,
                    reasons_.begin() + static_cast<std::ptrdiff_t>(batch.first_reason));
}

// The next offset after `offset` at which a frame may begin; the size when there is none.
std::uint64_t JournalReader::next_magic_after(std::uint64_t offset) const {
  constexpr std::size_t kBlock = 1 << 16;
  std::string block;
  for (std::uint64_t at = offset + 1; at < size_; at += kBlock) {
    block.resize(kBlock + kMagic.size() - 1);  // so that no magic is cut in two
    block.resize(file_.read_at(at, block));
    if (const std::size_t found = block.find(kMagic); found != std::string::npos) return at + found;
  }
  return size_;
}

JournalBatch JournalReader::batch(std::size_t index) const {
  const std::uint64_t offset = batches_[index].offset;
  std::array<char, kHeadSize> head;
  file_.read_at(offset, head);
  ByteReader in({head.data(), head.size()});
  static_cast<void>(in.take_all<std::uint64_t>(2));  // magic, version and kind
  const auto length = in.take<std::uint64_t>();
  const auto checksum = in.take<std::uint64_t>();
  std::string payload(std::min(length, size_), '\0');
  file_.read_at(offset + kHeadSize, payload);
  // Read anew, so checked anew: what changed since the scan is not believed.
  if (checksum != checksum_of({head.data(), head.size()}, payload))
    throw FileError({file_.name().string()}, "changed while it was read");
  return parse_batch(payload, *start_);
}

}  // namespace cosearch::datasets
