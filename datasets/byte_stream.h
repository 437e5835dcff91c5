// Values one after the other as bytes, little-endian, without padding: the payloads of a journal.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace cosearch::datasets {

static_assert(std::endian::native == std::endian::little,
              "a machine with the other byte order must swap here");

template <class T>
concept Plain = std::is_arithmetic_v<T>;

/// Appends to `bytes`.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& bytes) : bytes_(bytes) {}

  template <Plain T>
  void put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void put(std::string_view text) {
    put(std::uint64_t{text.size()});
    bytes_.append(text);
  }
  /// Without its length.
  template <Plain T>
  void put_all(const std::vector<T>& values) {
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }

 private:
  std::string& bytes_;
};

/// Takes from the front of `bytes`. Throws Malformed where they end too early.
class ByteReader {
 public:
  struct Malformed : std::runtime_error {
    Malformed() : std::runtime_error("malformed payload") {}
  };

  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <Plain T>
  [[nodiscard]] T take() {
    T value;
    std::memcpy(&value, taken(sizeof value).data(), sizeof value);
    return value;
  }
  [[nodiscard]] std::string take_text() { return std::string(taken(take<std::uint64_t>())); }
  template <Plain T>
  [[nodiscard]] std::vector<T> take_all(std::uint64_t count) {
    if (count > bytes_.size() / sizeof(T)) throw Malformed();
    const std::string_view from = taken(count * sizeof(T));
    std::vector<T> values(count);
    if (count > 0) std::memcpy(values.data(), from.data(), from.size());
    return values;
  }
  /// A count of items that take at least `least` bytes each, so that none is believed that cannot
  /// be.
  [[nodiscard]] std::uint64_t take_count(std::uint64_t least) {
    const auto count = take<std::uint64_t>();
    if (count > bytes_.size() / least) throw Malformed();
    return count;
  }
  void expect_end() const {
    if (!bytes_.empty()) throw Malformed();
  }

 private:
  std::string_view taken(std::uint64_t size) {
    if (size > bytes_.size()) throw Malformed();
    const std::string_view front = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return front;
  }

  std::string_view bytes_;
};

}  // namespace cosearch::datasets
