#include "datasets/hdf5/study_migrations.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

#include "datasets/hdf5/object.h"
#include "datasets/hdf5/study_sections.h"

namespace cosearch::datasets::hdf5 {
namespace {

// Texts of variable length lay in a heap without checksums.
void fix_the_width_of_texts(const Handle& file) {
  for (const std::string& path : object_paths(file)) {
    const Handle object = open_object(file, path);
    for (const std::string& name : attribute_names(object))
      if (is_text_of_variable_length(object, name)) fix_text_width(object, name);
  }
}

// Accelerators are machine files now, whose precision is a plain number.
void drop_unit_of_precision(const Handle& file) {
  const Handle accelerators = open_group(file, "accelerators");
  for (const std::string& name : read_text_list(accelerators, "parameters"))
    if (name == "precision") replace_text(open_object(accelerators, name), "unit", "");
}

// The columns that say who gave an accuracy: until then it was a table.
void add_sources_of_accuracies(const Handle& file) {
  const std::vector<MetricColumn> metrics = read_metric_columns(file);
  const Handle group = open_group(file, "points");
  PointBatch points;
  points.id = Column<std::uint64_t>::open(group, "id").read_all();
  for (const MetricColumn& metric : metrics) {
    points.metrics.emplace_back();
    if (metric.name != "accuracy") continue;
    points.metrics.back() = Column<double>::open(group, metric.name).read_all();
    if (points.metrics.back().size() != points.size())
      throw Error("is damaged: columns of one table differ in length");
  }
  add_table_provenance(points, metrics);
  write_column<std::uint16_t>(group, "accuracy_source", "", points.accuracy_source);
  write_column<double>(group, "accuracy_spread", "percent", points.accuracy_spread);
  write_text_column(file, "accuracy_sources", table_provenance());
}

void migrate_from_schema_1(const Handle& file) {
  add_sources_of_accuracies(file);
  drop_unit_of_precision(file);
}

// By the schema that it begins with, each makes a file of the next one: kMigrations[0] a file of
// schema 1. A new one: a function, its line here, a file in tests/golden, its line in
// tests/datasets/study_migrations_test.cpp.
using Migration = void (*)(const Handle& file);
constexpr std::array<Migration, kStudySchemaVersion> kMigrations{fix_the_width_of_texts,
                                                                 migrate_from_schema_1};

}  // namespace

std::uint32_t schema_of(const Handle& file, const std::filesystem::path& path) {
  const bool is_first = has_attribute(file, "format") && is_text_of_variable_length(file, "format");
  const auto format = [&] {
    return is_first ? read_variable_texts(file, "format").at(0) : read_text(file, "format");
  };
  if (!has_attribute(file, "format") || format() != kStudyFormat)
    throw UserError({path.string()},
                    "is an HDF5 file but not a cosearch study (its attribute "
                    "'format' is not 'cosearch-study')");
  const auto version = read_attribute<std::uint32_t>(file, "schema_version");
  if (version > kStudySchemaVersion)
    throw UserError({path.string()},
                    fmt::format("has schema_version {}; this program reads up to {}: use a newer "
                                "cosearch",
                                version, kStudySchemaVersion));
  if (version == 0) throw Error("is damaged: schema_version is 0; the first is 1");
  return is_first ? 0 : version;
}

Handle open_newest(const std::filesystem::path& path) {
  Handle file = open_file(path);
  const std::uint32_t schema = schema_of(file, path);
  if (schema == kStudySchemaVersion) return file;
  file = open_copy_in_memory(path);
  for (std::uint32_t from = schema; from < kStudySchemaVersion; ++from) kMigrations[from](file);
  return file;
}

}  // namespace cosearch::datasets::hdf5
