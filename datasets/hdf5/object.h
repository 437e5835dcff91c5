// Files, groups, attributes and one-dimensional columns: all of HDF5 that this project uses.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "datasets/hdf5/handle.h"

namespace cosearch::datasets::hdf5 {

/// A file that holds no time stamps (same content, same bytes) and whose metadata is checksummed:
/// the format of HDF5 1.10, which every reader since 2016 understands.
[[nodiscard]] Handle create_file(const std::filesystem::path& path);
/// Read-only; does not fail on file systems without locks.
[[nodiscard]] Handle open_file(const std::filesystem::path& path);
/// A copy in memory that may be changed; what it was read from stays as it is.
[[nodiscard]] Handle open_copy_in_memory(const std::filesystem::path& path);
[[nodiscard]] bool is_hdf5(const std::filesystem::path& path);

[[nodiscard]] Handle create_group(const Handle& parent, const std::string& name);
[[nodiscard]] Handle open_group(const Handle& parent, const std::string& name);
[[nodiscard]] bool has_group(const Handle& parent, const std::string& name);
/// Of the file's root and everything under it.
[[nodiscard]] std::vector<std::string> object_paths(const Handle& file);
/// A group or a column.
[[nodiscard]] Handle open_object(const Handle& file, const std::string& path);
[[nodiscard]] bool has_attribute(const Handle& object, const std::string& name);
/// Names of the attributes, in alphabetical order.
[[nodiscard]] std::vector<std::string> attribute_names(const Handle& object);

/// Element types: std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t, std::int64_t, double.
template <class T>
void write_attribute(const Handle& object, const std::string& name, T value);
template <class T>
[[nodiscard]] T read_attribute(const Handle& object, const std::string& name);
template <class T>
void write_list_attribute(const Handle& object, const std::string& name,
                          const std::vector<T>& values);
template <class T>
[[nodiscard]] std::vector<T> read_list_attribute(const Handle& object, const std::string& name);

// Texts are UTF-8 of fixed width, padded with zero bytes. Not of variable length: HDF5 keeps those
// in a heap without checksums, and a damaged heap crashes HDF5 1.10 instead of being refused.
void write_text(const Handle& object, const std::string& name, const std::string& text);
/// The same where the attribute is there already.
void replace_text(const Handle& object, const std::string& name, const std::string& text);
[[nodiscard]] std::string read_text(const Handle& object, const std::string& name);
void write_text_list(const Handle& object, const std::string& name,
                     const std::vector<std::string>& texts);
[[nodiscard]] std::vector<std::string> read_text_list(const Handle& object,
                                                      const std::string& name);

// Texts of variable length, as the first study files have them.
[[nodiscard]] bool is_text_of_variable_length(const Handle& object, const std::string& name);
[[nodiscard]] std::vector<std::string> read_variable_texts(const Handle& object,
                                                           const std::string& name);
/// Replaces such an attribute by one of fixed width, a list by a list.
void fix_text_width(const Handle& object, const std::string& name);

/// Rows that a column is stored and compressed in at once.
inline constexpr std::size_t kChunkRows = 16'384;

/// A one-dimensional dataset of numbers that can grow: chunked, shuffled, deflated at level 1.
template <class T>
class Column {
 public:
  static Column create(const Handle& group, const std::string& name, const std::string& unit);
  static Column open(const Handle& group, const std::string& name);

  [[nodiscard]] const Handle& handle() const { return dataset_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

  void append(std::span<const T> values);
  [[nodiscard]] std::vector<T> read(std::uint64_t first, std::uint64_t count) const;
  [[nodiscard]] std::vector<T> read_all() const { return read(0, size_); }
  /// The values of these rows, in this order. Requires rows < size().
  [[nodiscard]] std::vector<T> read_rows(std::span<const std::uint64_t> rows) const;

 private:
  Column(Handle dataset, std::uint64_t size) : dataset_(std::move(dataset)), size_(size) {}

  Handle dataset_;
  std::uint64_t size_ = 0;
};

/// A whole column of numbers at once.
template <class T>
Handle write_column(const Handle& group, const std::string& name, const std::string& unit,
                    std::span<const T> values);

/// A whole column of text at once.
void write_text_column(const Handle& group, const std::string& name,
                       const std::vector<std::string>& texts);
[[nodiscard]] std::vector<std::string> read_text_column(const Handle& group,
                                                        const std::string& name);

}  // namespace cosearch::datasets::hdf5
