// The parts of a study file, each written and read in one place. Layout: datasets/FORMAT.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "datasets/hdf5/object.h"
#include "datasets/study_store.h"

namespace cosearch::datasets::hdf5 {

inline constexpr const char* kStudyFormat = "cosearch-study";
inline constexpr std::uint32_t kStudySchemaVersion = 1;

void write_identity(const Handle& file);

void write_header(const Handle& file, const StudyHeader& header);
/// Throws Error when the configuration does not match its hash.
[[nodiscard]] StudyHeader read_header(const Handle& file);

void write_networks(const Handle& file, const std::vector<NetworkRow>& networks);
[[nodiscard]] std::vector<NetworkRow> read_networks(const Handle& file);

void write_accelerators(const Handle& file, const AcceleratorTable& accelerators);
[[nodiscard]] AcceleratorTable read_accelerators(const Handle& file);

void write_result(const Handle& file, const StudyResult& result);
[[nodiscard]] StudyResult read_result(const Handle& file);

/// Rows in a table written by the functions above.
[[nodiscard]] std::uint64_t rows_in(const Handle& file, const std::string& table);

/// The columns under /points.
struct PointColumns {
  Column<std::uint64_t> id;
  Column<std::uint32_t> network, accelerator;
  std::vector<Column<double>> metrics;
  Column<std::uint8_t> feasible;
  Column<std::uint16_t> reason, strategy;
  Column<std::uint64_t> step;

  static PointColumns create(const Handle& file, const std::vector<MetricColumn>& metrics);
  static PointColumns open(const Handle& file, const std::vector<MetricColumn>& metrics);

  /// Writes the first `count` points of `batch`.
  void append(const PointBatch& batch, std::size_t count);
  [[nodiscard]] PointBatch read(std::uint64_t first, std::uint64_t count) const;
  [[nodiscard]] PointBatch read_rows(std::span<const std::uint64_t> rows) const;
};

[[nodiscard]] std::vector<MetricColumn> read_metric_columns(const Handle& file);

/// True for a name that /points or /accelerators already uses, or that cannot name a dataset.
[[nodiscard]] bool is_bad_metric_name(const std::string& name);
[[nodiscard]] bool is_bad_parameter_name(const std::string& name);

}  // namespace cosearch::datasets::hdf5
