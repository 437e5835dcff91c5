#include "datasets/array_file.h"

#include <fmt/format.h>

#include <span>

#include "core/user_error.h"
#include "datasets/hdf5/object.h"
#include "datasets/partial_file.h"

namespace cosearch::datasets {
namespace {

constexpr const char* kFormat = "cosearch named arrays";

template <class Arrays, class Write>
void write_group(const hdf5::Handle& file, const std::string& name, const Arrays& arrays,
                 const Write& write) {
  const hdf5::Handle group = hdf5::create_group(file, name);
  std::vector<std::string> names;
  for (const auto& [array, values] : arrays) {
    write(group, array, values);
    names.push_back(array);
  }
  hdf5::write_text_list(group, "names", names);
}

template <class Arrays, class Read>
void read_group(const hdf5::Handle& file, const std::string& name, Arrays& arrays,
                const Read& read) {
  const hdf5::Handle group = hdf5::open_group(file, name);
  for (const std::string& array : hdf5::read_text_list(group, "names"))
    arrays[array] = read(group, array);
}

template <class T>
void write_numbers(const hdf5::Handle& group, const std::string& name,
                   const std::vector<T>& values) {
  hdf5::write_column<T>(group, name, "", values);
}

template <class T>
std::vector<T> read_numbers(const hdf5::Handle& group, const std::string& name) {
  return hdf5::Column<T>::open(group, name).read_all();
}

void check_header(const hdf5::Handle& file, const std::filesystem::path& path,
                  const std::string& kind, std::uint32_t version) {
  if (!hdf5::has_attribute(file, "format") || hdf5::read_text(file, "format") != kFormat)
    throw UserError({path.string()}, fmt::format("is HDF5 but no {} file", kind));
  const std::string found = hdf5::read_text(file, "kind");
  if (found != kind)
    throw UserError({path.string()}, fmt::format("holds a {}; expected a {}", found, kind));
  const auto written = hdf5::read_attribute<std::uint32_t>(file, "version");
  if (written != version)
    throw UserError({path.string()},
                    fmt::format("is a {} of version {}; this cosearch reads version {}: make it "
                                "again, or use the cosearch that wrote it",
                                kind, written, version));
}

}  // namespace

void write_array_file(const std::filesystem::path& path, const ArrayFile& content) {
  PartialFile partial(path);
  hdf5::naming(path, [&] {
    hdf5::Handle file = hdf5::create_file(partial.path());
    hdf5::write_text(file, "format", kFormat);
    hdf5::write_text(file, "kind", content.kind);
    hdf5::write_attribute<std::uint32_t>(file, "version", content.version);
    write_group(file, "texts", content.texts, hdf5::write_text);
    write_group(file, "text_lists", content.text_lists, hdf5::write_text_column);
    write_group(file, "numbers", content.numbers, write_numbers<double>);
    write_group(file, "bytes", content.bytes, write_numbers<std::uint8_t>);
    file.close("write the file");
  });
  partial.commit();
}

ArrayFile read_array_file(const std::filesystem::path& path, const std::string& kind,
                          std::uint32_t version) {
  ArrayFile content{.kind = kind, .version = version};
  if (!std::filesystem::exists(path))
    throw FileError({path.string()}, fmt::format("there is no such {} file", kind));
  hdf5::naming(path, [&] {
    if (!hdf5::is_hdf5(path))
      throw UserError({path.string()}, fmt::format("is no {} file: it is not HDF5", kind));
    const hdf5::Handle file = hdf5::open_file(path);
    check_header(file, path, kind, version);
    read_group(file, "texts", content.texts, hdf5::read_text);
    read_group(file, "text_lists", content.text_lists, hdf5::read_text_column);
    read_group(file, "numbers", content.numbers, read_numbers<double>);
    read_group(file, "bytes", content.bytes, read_numbers<std::uint8_t>);
  });
  return content;
}

const std::string& ArrayFile::text(const std::string& name) const {
  const auto found = texts.find(name);
  if (found == texts.end()) throw UserError("it has no '" + name + "'");
  return found->second;
}

const std::vector<std::string>& ArrayFile::text_list(const std::string& name) const {
  const auto found = text_lists.find(name);
  if (found == text_lists.end()) throw UserError("it has no '" + name + "'");
  return found->second;
}

}  // namespace cosearch::datasets
