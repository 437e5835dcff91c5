// A study file. First byte 0: the rest is a file. 1: the rest is a list of bytes of a small study
// to change; 3: of one of schema 1. Else: the rest is a list of changes to the small study (4: to
// that of schema 1), made by HDF5 itself so that every checksum is right: what such a file says is
// not believed either.
#include <hdf5.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "datasets/file_bytes.h"
#include "datasets/study_store.h"
#include "tests/datasets/study_fixture.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/memory_file.h"

namespace {

using namespace cosearch;

void read_all(const std::string& path) {
  const auto store = datasets::StudyStore::open(path);
  const std::size_t networks = store.networks().size();
  const datasets::AcceleratorTable accelerators = store.accelerators();
  for (const datasets::AcceleratorRow& row : accelerators.rows)
    fuzz::check(row.parameters.size() == accelerators.parameters.size(), "a number per parameter");
  // A damaged file may claim any number of points; their values come in parts.
  const datasets::PointBatch points = store.points(0, 1000);
  fuzz::check(points.metrics.size() == store.metrics().size(), "a column per metric");
  for (std::size_t i = 0; i < points.size(); ++i) {
    fuzz::check(points.network[i] < networks, "a point's network is there");
    fuzz::check(points.accelerator[i] == datasets::kNoStoredAccelerator ||
                    points.accelerator[i] < accelerators.rows.size(),
                "a point's accelerator is there");
    fuzz::check(points.reason[i] < store.result().reasons.size(), "a point's reason is there");
    fuzz::check(points.strategy[i] < store.header().strategies.size(), "its strategy is there");
    fuzz::check(points.accuracy_source[i] < store.header().accuracy_sources.size(),
                "the source of its accuracy is there");
  }
  static_cast<void>(store.points_with(store.front().ids));
}

// The bytes of a study of four points.
const std::string& small_study() {
  static const std::string bytes = [] {
    const auto path = std::filesystem::temp_directory_path() /
                      ("cosearch-study-fuzz-" + std::to_string(::getpid()) + ".h5");
    test::write_example(path, 4);
    std::ostringstream content;
    content << std::ifstream(path, std::ios::binary).rdbuf();
    std::filesystem::remove(path);
    return content.str();
  }();
  return bytes;
}

// One that is migrated when it is opened.
const std::string& study_of_schema_1() {
  static const std::string bytes =
      datasets::read_file(COSEARCH_SOURCE_DIR "/tests/golden/study_schema_1.h5");
  return bytes;
}

/// Takes bytes from the front of the input; zeros after its end.
class Input {
 public:
  explicit Input(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] bool is_empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return first;
  }
  std::string text(std::size_t size) {
    std::string taken(bytes_.substr(0, size));
    bytes_.remove_prefix(taken.size());
    taken.resize(size, '\0');
    return taken;
  }

 private:
  std::string_view bytes_;
};

struct Place {
  const char* object;
  const char* attribute;  // null: the object itself
};

// The committed inputs name them by number: new ones come last.
constexpr std::array kPlaces{
    Place{"/", "format"},
    Place{"/", "schema_version"},
    Place{"/strategies", nullptr},
    Place{"/reasons", nullptr},
    Place{"/study", "name"},
    Place{"/study", "seed"},
    Place{"/study", "configuration"},
    Place{"/study", "configuration_hash"},
    Place{"/study", "complete"},
    Place{"/study", "trials"},
    Place{"/study/library_versions", "HDF5"},
    Place{"/study/input_hashes", "networks.scores.file"},
    Place{"/study/input_hashes", nullptr},
    Place{"/points", "metrics"},
    Place{"/points/id", nullptr},
    Place{"/points/network", nullptr},
    Place{"/points/accelerator", nullptr},
    Place{"/points/accelerator", "none"},
    Place{"/points/latency", nullptr},
    Place{"/points/latency", "unit"},
    Place{"/points/latency", "direction"},
    Place{"/points/feasible", nullptr},
    Place{"/points/reason", nullptr},
    Place{"/points/strategy", nullptr},
    Place{"/points/step", nullptr},
    Place{"/networks/id", nullptr},
    Place{"/networks/name", nullptr},
    Place{"/networks/accuracy", nullptr},
    Place{"/networks/macs", nullptr},
    Place{"/accelerators", "parameters"},
    Place{"/accelerators/id", nullptr},
    Place{"/accelerators/template", nullptr},
    Place{"/accelerators/pes", nullptr},
    Place{"/front", "objectives"},
    Place{"/front", "reference_point"},
    Place{"/front", "hypervolume"},
    Place{"/front/id", nullptr},
    Place{"/front", nullptr},
    Place{"/accuracy_sources", nullptr},
    Place{"/study", "space_file"},
    Place{"/study", "machine_file_paths"},
    Place{"/study", "machine_file_texts"},
    Place{"/points/accuracy_source", nullptr},
    Place{"/points/accuracy_spread", nullptr},
};

hid_t type_of(std::uint8_t what, std::size_t width) {
  switch (what % 6) {
    case 0:
      return H5Tcopy(H5T_STD_U8LE);
    case 1:
      return H5Tcopy(H5T_STD_U32BE);
    case 2:
      return H5Tcopy(H5T_STD_U64LE);
    case 3:
      return H5Tcopy(H5T_IEEE_F64LE);
    case 4:
      return H5Tcopy(H5T_NATIVE_HBOOL);
    default:
      break;
  }
  const hid_t text = H5Tcopy(H5T_C_S1);
  H5Tset_size(text, std::max<std::size_t>(1, width));
  return text;
}

hid_t space_of(std::uint8_t what, hsize_t extent) {
  const std::array<hsize_t, 2> extents{extent, 2};
  switch (what % 4) {
    case 0:
      return H5Screate(H5S_SCALAR);
    case 1:
      return H5Screate(H5S_NULL);
    case 2:
      return H5Screate_simple(2, extents.data(), nullptr);
    default:
      return H5Screate_simple(1, extents.data(), nullptr);
  }
}

// Removes what is at a place, and puts something else there or nothing.
void change(hid_t file, Input& input) {
  const Place& place = kPlaces[input.byte() % kPlaces.size()];
  const std::uint8_t what = input.byte();
  const hid_t object = place.attribute != nullptr ? H5Oopen(file, place.object, H5P_DEFAULT) : file;
  if (object < 0) return;  // an earlier change removed it
  if (place.attribute != nullptr)
    H5Adelete(object, place.attribute);
  else
    H5Ldelete(file, place.object, H5P_DEFAULT);
  if (what % 8 != 0) {
    const std::size_t width = input.byte() % 32U;
    const hid_t type = type_of(input.byte(), width), space = space_of(what, input.byte() % 9U);
    const auto count =
        static_cast<std::size_t>(std::max<hssize_t>(0, H5Sget_simple_extent_npoints(space)));
    const std::string values = input.text(count * H5Tget_size(type));
    if (place.attribute != nullptr) {
      const hid_t made = H5Acreate2(object, place.attribute, type, space, H5P_DEFAULT, H5P_DEFAULT);
      H5Awrite(made, type, values.data());
      H5Aclose(made);
    } else {
      const hid_t made =
          H5Dcreate2(file, place.object, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
      H5Dwrite(made, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
      H5Dclose(made);
    }
    H5Sclose(space);
    H5Tclose(type);
  }
  if (place.attribute != nullptr) H5Oclose(object);
}

// The study with the changes that `input` lists.
std::string changed_study(std::string bytes, Input input) {
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, 4096, false);
  H5Pset_file_image(access, bytes.data(), bytes.size());
  const hid_t file = H5Fopen("/dev/null/changed", H5F_ACC_RDWR, access);
  H5Pclose(access);
  for (int changes = 0; changes < 8 && !input.is_empty(); ++changes) change(file, input);
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  std::string changed(static_cast<std::size_t>(H5Fget_file_image(file, nullptr, 0)), '\0');
  H5Fget_file_image(file, changed.data(), changed.size());
  H5Fclose(file);
  return changed;
}

// The study with bytes replaced: a place (16 bits) and a value each.
std::string damaged_study(std::string bytes, Input input) {
  while (!input.is_empty()) {
    const std::size_t high = input.byte(), low = input.byte();
    bytes[(high << 8 | low) % bytes.size()] = static_cast<char>(input.byte());
  }
  return bytes;
}

std::string file_of(std::uint8_t kind, std::string_view rest) {
  switch (kind) {
    case 0:
      return std::string(rest);
    case 1:
      return damaged_study(small_study(), Input(rest));
    case 3:
      return damaged_study(study_of_schema_1(), Input(rest));
    case 4:
      return changed_study(study_of_schema_1(), Input(rest));
    default:
      return changed_study(small_study(), Input(rest));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const fuzz::MemoryFile file(file_of(data[0], fuzz::text_of(data + 1, size - 1)));
  fuzz::accepts([&] { read_all(file.path()); });
  return 0;
}
