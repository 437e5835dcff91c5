#include "datasets/hdf5/object.h"

#include <algorithm>
#include <type_traits>

#include "datasets/file_bytes.h"

namespace cosearch::datasets::hdf5 {
namespace {

template <class T>
hid_t memory_type() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_NATIVE_UINT8;
  if constexpr (std::is_same_v<T, std::uint16_t>) return H5T_NATIVE_UINT16;
  if constexpr (std::is_same_v<T, std::uint32_t>) return H5T_NATIVE_UINT32;
  if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_NATIVE_UINT64;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
}

// Little-endian on every machine, so that the same study gives the same bytes.
template <class T>
hid_t stored_type() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_STD_U8LE;
  if constexpr (std::is_same_v<T, std::uint16_t>) return H5T_STD_U16LE;
  if constexpr (std::is_same_v<T, std::uint32_t>) return H5T_STD_U32LE;
  if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_STD_U64LE;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_STD_I64LE;
  if constexpr (std::is_same_v<T, double>) return H5T_IEEE_F64LE;
}

std::string quoted(const char* action, const std::string& name) {
  return std::string(action) + " '" + name + "'";
}

Handle property_list(hid_t kind) {
  return Handle(H5Pcreate(kind), H5Pclose, "make a property list");
}

Handle text_type(std::size_t width) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "make a text type");
  check(H5Tset_size(type.id(), width), "set a text width");
  check(H5Tset_cset(type.id(), H5T_CSET_UTF8), "set a text encoding");
  check(H5Tset_strpad(type.id(), H5T_STR_NULLPAD), "set text padding");
  return type;
}

Handle list_space(std::size_t size) {
  const hsize_t extent = size;
  return Handle(H5Screate_simple(1, &extent, nullptr), H5Sclose, "make a dataspace");
}

Handle scalar_space() { return Handle(H5Screate(H5S_SCALAR), H5Sclose, "make a dataspace"); }

Handle create_attribute(const Handle& object, const std::string& name, hid_t type,
                        const Handle& space) {
  return Handle(H5Acreate2(object.id(), name.c_str(), type, space.id(), H5P_DEFAULT, H5P_DEFAULT),
                H5Aclose, quoted("create attribute", name));
}

Handle open_attribute(const Handle& object, const std::string& name) {
  return Handle(H5Aopen(object.id(), name.c_str(), H5P_DEFAULT), H5Aclose,
                quoted("open attribute", name));
}

std::size_t count_of(const Handle& attribute, const std::string& name) {
  const Handle space(H5Aget_space(attribute.id()), H5Sclose, quoted("size attribute", name));
  const hssize_t count = H5Sget_simple_extent_npoints(space.id());
  if (count < 0) fail(quoted("size attribute", name));
  return static_cast<std::size_t>(count);
}

/// Texts one after the other in cells of one width, the longest one's; HDF5 has no width of 0.
struct TextCells {
  std::size_t width = 1;
  std::string bytes;
};

TextCells pack(std::span<const std::string> texts) {
  TextCells cells;
  for (const std::string& text : texts) cells.width = std::max(cells.width, text.size());
  cells.bytes.resize(cells.width * texts.size(), '\0');
  for (std::size_t i = 0; i < texts.size(); ++i)
    cells.bytes.replace(i * cells.width, texts[i].size(), texts[i]);
  return cells;
}

std::vector<std::string> unpack(const TextCells& cells) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < cells.bytes.size(); at += cells.width) {
    std::string text = cells.bytes.substr(at, cells.width);
    text.resize(text.find_last_not_of('\0') + 1);
    texts.push_back(std::move(text));
  }
  return texts;
}

/// Room for `count` texts of the fixed width that `stored` has.
TextCells room_for(const Handle& stored, std::uint64_t count, const std::string& name) {
  if (H5Tget_class(stored.id()) != H5T_STRING || H5Tis_variable_str(stored.id()) != 0)
    throw Error(quoted("is damaged: not text of fixed width:", name));
  const std::size_t width = H5Tget_size(stored.id());
  if (width == 0 || count > std::string().max_size() / width) throw std::length_error(name);
  return {width, std::string(width * count, '\0')};
}

void write_texts(const Handle& object, const std::string& name, const Handle& space,
                 std::span<const std::string> texts) {
  const TextCells cells = pack(texts);
  const Handle type = text_type(cells.width);
  const Handle attribute = create_attribute(object, name, type.id(), space);
  if (texts.empty()) return;
  check(H5Awrite(attribute.id(), type.id(), cells.bytes.data()), quoted("write attribute", name));
}

std::uint64_t rows_of(const Handle& dataset, const std::string& name) {
  const Handle space(H5Dget_space(dataset.id()), H5Sclose, quoted("size column", name));
  hsize_t extent = 0;
  if (H5Sget_simple_extent_ndims(space.id()) != 1 ||
      H5Sget_simple_extent_dims(space.id(), &extent, nullptr) != 1)
    throw Error(quoted("is damaged: not a one-dimensional column:", name));
  return extent;
}

Handle open_dataset(const Handle& group, const std::string& name) {
  return Handle(H5Dopen2(group.id(), name.c_str(), H5P_DEFAULT), H5Dclose,
                quoted("open column", name));
}

Handle create_dataset(const Handle& group, const std::string& name, hid_t type) {
  const hsize_t extent = 0, unlimited = H5S_UNLIMITED, chunk = kChunkRows;
  const Handle space(H5Screate_simple(1, &extent, &unlimited), H5Sclose, "make a dataspace");
  const Handle properties = property_list(H5P_DATASET_CREATE);
  check(H5Pset_chunk(properties.id(), 1, &chunk), "set the chunk size");
  check(H5Pset_shuffle(properties.id()), "set the shuffle filter");
  check(H5Pset_deflate(properties.id(), 1), "set the deflate filter");
  // Deflate has a checksum of its own, but HDF5 leaves a chunk as it is that deflate cannot shrink.
  check(H5Pset_fletcher32(properties.id()), "set the checksum filter");
  check(H5Pset_obj_track_times(properties.id(), false), "leave out time stamps");
  return Handle(H5Dcreate2(group.id(), name.c_str(), type, space.id(), H5P_DEFAULT, properties.id(),
                           H5P_DEFAULT),
                H5Dclose, quoted("create column", name));
}

Handle select_rows(const Handle& dataset, std::uint64_t first, std::uint64_t count) {
  Handle space(H5Dget_space(dataset.id()), H5Sclose, "size a column");
  const hsize_t start = first, extent = count;
  check(H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, &start, nullptr, &extent, nullptr),
        "select rows");
  return space;
}

void append_rows(const Handle& dataset, std::uint64_t size, std::uint64_t count, hid_t type,
                 const void* values) {
  const hsize_t extent = size + count;
  check(H5Dset_extent(dataset.id(), &extent), "extend a column");
  const Handle where = select_rows(dataset, size, count);
  const Handle space = list_space(count);
  check(H5Dwrite(dataset.id(), type, space.id(), where.id(), H5P_DEFAULT, values),
        "write a column");
}

}  // namespace

Handle create_file(const std::filesystem::path& path) {
  const Handle access = property_list(H5P_FILE_ACCESS);
  check(H5Pset_libver_bounds(access.id(), H5F_LIBVER_V110, H5F_LIBVER_V110),
        "set the format version");
  const Handle properties = property_list(H5P_FILE_CREATE);
  check(H5Pset_obj_track_times(properties.id(), false), "leave out time stamps");
  return Handle(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, properties.id(), access.id()), H5Fclose,
                "create the file");
}

Handle open_file(const std::filesystem::path& path) {
  const Handle access = property_list(H5P_FILE_ACCESS);
  check(H5Pset_file_locking(access.id(), true, true), "set file locking");
  return Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose, "open the file");
}

Handle open_copy_in_memory(const std::filesystem::path& path) {
  // As an image, under a name that no file can have: opened by its own name, HDF5 would ask for the
  // right to write to the file itself.
  std::string bytes = read_file(path);
  const Handle access = property_list(H5P_FILE_ACCESS);
  constexpr std::size_t kGrowth = 1 << 16;
  check(H5Pset_fapl_core(access.id(), kGrowth, false), "hold a file in memory");
  check(H5Pset_file_image(access.id(), bytes.data(), bytes.size()), "hold a file in memory");
  return Handle(H5Fopen("/dev/null/study.h5", H5F_ACC_RDWR, access.id()), H5Fclose,
                "open the file");
}

bool is_hdf5(const std::filesystem::path& path) { return H5Fis_hdf5(path.c_str()) > 0; }

Handle create_group(const Handle& parent, const std::string& name) {
  const Handle properties = property_list(H5P_GROUP_CREATE);
  check(H5Pset_obj_track_times(properties.id(), false), "leave out time stamps");
  return Handle(H5Gcreate2(parent.id(), name.c_str(), H5P_DEFAULT, properties.id(), H5P_DEFAULT),
                H5Gclose, quoted("create group", name));
}

Handle open_group(const Handle& parent, const std::string& name) {
  return Handle(H5Gopen2(parent.id(), name.c_str(), H5P_DEFAULT), H5Gclose,
                quoted("open group", name));
}

bool has_group(const Handle& parent, const std::string& name) {
  const htri_t found = H5Lexists(parent.id(), name.c_str(), H5P_DEFAULT);
  if (found < 0) fail(quoted("look for group", name));
  return found > 0;
}

std::vector<std::string> object_paths(const Handle& file) {
  std::vector<std::string> paths;
  // H5O_info_t is another type in HDF5 1.12.
  const auto collect = [](hid_t, const char* path, const auto*, void* list) -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(path);
    return 0;
  };
  check(H5Ovisit2(file.id(), H5_INDEX_NAME, H5_ITER_INC, collect, &paths, H5O_INFO_BASIC),
        "list what is in the file");
  return paths;
}

Handle open_object(const Handle& file, const std::string& path) {
  return Handle(H5Oopen(file.id(), path.c_str(), H5P_DEFAULT), H5Oclose, quoted("open", path));
}

bool has_attribute(const Handle& object, const std::string& name) {
  const htri_t found = H5Aexists(object.id(), name.c_str());
  if (found < 0) fail(quoted("look for attribute", name));
  return found > 0;
}

std::vector<std::string> attribute_names(const Handle& object) {
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5A_info_t*, void* list) -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
  check(H5Aiterate2(object.id(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names),
        "list attributes");
  return names;
}

template <class T>
void write_attribute(const Handle& object, const std::string& name, T value) {
  const Handle attribute = create_attribute(object, name, stored_type<T>(), scalar_space());
  check(H5Awrite(attribute.id(), memory_type<T>(), &value), quoted("write attribute", name));
}

template <class T>
T read_attribute(const Handle& object, const std::string& name) {
  const std::vector<T> values = read_list_attribute<T>(object, name);
  if (values.size() != 1) throw Error(quoted("is damaged: not one number: attribute", name));
  return values.front();
}

template <class T>
void write_list_attribute(const Handle& object, const std::string& name,
                          const std::vector<T>& values) {
  const Handle attribute =
      create_attribute(object, name, stored_type<T>(), list_space(values.size()));
  if (values.empty()) return;
  check(H5Awrite(attribute.id(), memory_type<T>(), values.data()), quoted("write attribute", name));
}

template <class T>
std::vector<T> read_list_attribute(const Handle& object, const std::string& name) {
  const Handle attribute = open_attribute(object, name);
  std::vector<T> values(count_of(attribute, name));
  if (!values.empty())
    check(H5Aread(attribute.id(), memory_type<T>(), values.data()), quoted("read attribute", name));
  return values;
}

void write_text(const Handle& object, const std::string& name, const std::string& text) {
  write_texts(object, name, scalar_space(), {&text, 1});
}

std::string read_text(const Handle& object, const std::string& name) {
  const std::vector<std::string> texts = read_text_list(object, name);
  if (texts.size() != 1) throw Error(quoted("is damaged: not one text: attribute", name));
  return texts.front();
}

void write_text_list(const Handle& object, const std::string& name,
                     const std::vector<std::string>& texts) {
  write_texts(object, name, list_space(texts.size()), texts);
}

std::vector<std::string> read_text_list(const Handle& object, const std::string& name) {
  const Handle attribute = open_attribute(object, name);
  const Handle stored(H5Aget_type(attribute.id()), H5Tclose, quoted("read attribute", name));
  TextCells cells = room_for(stored, count_of(attribute, name), name);
  const Handle type = text_type(cells.width);
  if (!cells.bytes.empty())
    check(H5Aread(attribute.id(), type.id(), cells.bytes.data()), quoted("read attribute", name));
  return unpack(cells);
}

bool is_text_of_variable_length(const Handle& object, const std::string& name) {
  const Handle attribute = open_attribute(object, name);
  const Handle stored(H5Aget_type(attribute.id()), H5Tclose, quoted("read attribute", name));
  return H5Tis_variable_str(stored.id()) > 0;
}

std::vector<std::string> read_variable_texts(const Handle& object, const std::string& name) {
  const Handle attribute = open_attribute(object, name);
  const std::size_t count = count_of(attribute, name);
  if (count == 0) return {};
  const Handle stored(H5Aget_type(attribute.id()), H5Tclose, quoted("read attribute", name));
  std::vector<char*> borrowed(count, nullptr);
  check(H5Aread(attribute.id(), stored.id(), borrowed.data()), quoted("read attribute", name));
  std::vector<std::string> texts;
  for (char* text : borrowed) {
    texts.emplace_back(text == nullptr ? "" : text);
    H5free_memory(text);
  }
  return texts;
}

void replace_text(const Handle& object, const std::string& name, const std::string& text) {
  check(H5Adelete(object.id(), name.c_str()), quoted("replace attribute", name));
  write_text(object, name, text);
}

void fix_text_width(const Handle& object, const std::string& name) {
  const std::vector<std::string> texts = read_variable_texts(object, name);
  const bool is_list = [&] {
    const Handle attribute = open_attribute(object, name);
    const Handle space(H5Aget_space(attribute.id()), H5Sclose, quoted("size attribute", name));
    return H5Sget_simple_extent_type(space.id()) != H5S_SCALAR;
  }();
  check(H5Adelete(object.id(), name.c_str()), quoted("replace attribute", name));
  write_texts(object, name, is_list ? list_space(texts.size()) : scalar_space(), texts);
}

template <class T>
Column<T> Column<T>::create(const Handle& group, const std::string& name, const std::string& unit) {
  Handle dataset = create_dataset(group, name, stored_type<T>());
  write_text(dataset, "unit", unit);
  return Column(std::move(dataset), 0);
}

template <class T>
Column<T> Column<T>::open(const Handle& group, const std::string& name) {
  Handle dataset = open_dataset(group, name);
  const std::uint64_t size = rows_of(dataset, name);
  return Column(std::move(dataset), size);
}

template <class T>
void Column<T>::append(std::span<const T> values) {
  if (values.empty()) return;
  append_rows(dataset_, size_, values.size(), memory_type<T>(), values.data());
  size_ += values.size();
}

template <class T>
std::vector<T> Column<T>::read(std::uint64_t first, std::uint64_t count) const {
  first = std::min(first, size_);
  count = std::min(count, size_ - first);
  std::vector<T> values(count);
  if (count == 0) return values;
  const Handle where = select_rows(dataset_, first, count);
  const Handle space = list_space(count);
  check(
      H5Dread(dataset_.id(), memory_type<T>(), space.id(), where.id(), H5P_DEFAULT, values.data()),
      "read a column");
  return values;
}

template <class T>
std::vector<T> Column<T>::read_rows(std::span<const std::uint64_t> rows) const {
  std::vector<T> values(rows.size());
  if (rows.empty()) return values;
  const std::vector<hsize_t> places(rows.begin(), rows.end());
  const Handle where(H5Dget_space(dataset_.id()), H5Sclose, "size a column");
  check(H5Sselect_elements(where.id(), H5S_SELECT_SET, places.size(), places.data()),
        "select rows");
  const Handle space = list_space(rows.size());
  check(
      H5Dread(dataset_.id(), memory_type<T>(), space.id(), where.id(), H5P_DEFAULT, values.data()),
      "read a column");
  return values;
}

template <class T>
Handle write_column(const Handle& group, const std::string& name, const std::string& unit,
                    std::span<const T> values) {
  Handle dataset = create_dataset(group, name, stored_type<T>());
  write_text(dataset, "unit", unit);
  if (!values.empty()) append_rows(dataset, 0, values.size(), memory_type<T>(), values.data());
  return dataset;
}

void write_text_column(const Handle& group, const std::string& name,
                       const std::vector<std::string>& texts) {
  const TextCells cells = pack(texts);
  const Handle type = text_type(cells.width);
  const Handle dataset = create_dataset(group, name, type.id());
  if (!texts.empty()) append_rows(dataset, 0, texts.size(), type.id(), cells.bytes.data());
}

std::vector<std::string> read_text_column(const Handle& group, const std::string& name) {
  const Handle dataset = open_dataset(group, name);
  const Handle stored(H5Dget_type(dataset.id()), H5Tclose, quoted("read column", name));
  TextCells cells = room_for(stored, rows_of(dataset, name), name);
  const Handle type = text_type(cells.width);
  if (!cells.bytes.empty())
    check(H5Dread(dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, cells.bytes.data()),
          quoted("read column", name));
  return unpack(cells);
}

#define COSEARCH_HDF5_ELEMENT(T)                                                                   \
  template void write_attribute<T>(const Handle&, const std::string&, T);                          \
  template T read_attribute<T>(const Handle&, const std::string&);                                 \
  template void write_list_attribute<T>(const Handle&, const std::string&, const std::vector<T>&); \
  template std::vector<T> read_list_attribute<T>(const Handle&, const std::string&);               \
  template class Column<T>;                                                                        \
  template Handle write_column<T>(const Handle&, const std::string&, const std::string&,           \
                                  std::span<const T>)
COSEARCH_HDF5_ELEMENT(std::uint8_t);
COSEARCH_HDF5_ELEMENT(std::uint16_t);
COSEARCH_HDF5_ELEMENT(std::uint32_t);
COSEARCH_HDF5_ELEMENT(std::uint64_t);
COSEARCH_HDF5_ELEMENT(std::int64_t);
COSEARCH_HDF5_ELEMENT(double);
#undef COSEARCH_HDF5_ELEMENT

}  // namespace cosearch::datasets::hdf5
