#include "datasets/study_store.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "core/user_error.h"
#include "datasets/hdf5/object.h"
#include "datasets/hdf5/study_migrations.h"
#include "datasets/hdf5/study_sections.h"
#include "datasets/partial_file.h"
#include "datasets/sha256.h"

namespace cosearch::datasets {

// Members close in reverse: columns, then the file, and only then is a partial file removed.
struct StudyStore::Implementation {
  std::filesystem::path path;
  std::optional<PartialFile> partial;  ///< while writing
  hdf5::Handle file;
  StudyHeader header;
  std::vector<MetricColumn> metrics;
  std::uint64_t network_count = 0, accelerator_count = 0;
  std::optional<hdf5::PointColumns> points;
  StudyResult result;

  PointBatch buffer;  ///< points not yet written: less than a chunk between calls
  std::uint64_t point_count = 0;
  std::uint64_t next_id = 0;  ///< ids from here on are free

  Implementation() = default;
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;
  ~Implementation() {
    const hdf5::SilentErrors silent;
    points.reset();
    file = hdf5::Handle();
  }
};

namespace {

void require(bool promise, std::string_view broken) {
  if (!promise) throw std::invalid_argument("StudyStore: " + std::string(broken));
}

void check_columns(const std::vector<MetricColumn>& metrics, const AcceleratorTable& accelerators) {
  std::set<std::string> names;
  for (const MetricColumn& metric : metrics) {
    require(!hdf5::is_bad_metric_name(metric.name), "bad metric name '" + metric.name + "'");
    require(names.insert(metric.name).second, "metric '" + metric.name + "' twice");
    require(metric.direction == "minimise" || metric.direction == "maximise",
            "direction is minimise or maximise");
  }
  names.clear();
  for (const ParameterColumn& column : accelerators.parameters) {
    require(!hdf5::is_bad_parameter_name(column.name), "bad parameter name '" + column.name + "'");
    require(names.insert(column.name).second, "parameter '" + column.name + "' twice");
  }
  for (const AcceleratorRow& row : accelerators.rows)
    require(row.parameters.size() == accelerators.parameters.size(),
            "an accelerator has one number per parameter column");
}

bool all_below(const auto& indices, std::uint64_t count) {
  return std::all_of(indices.begin(), indices.end(),
                     [count](std::uint64_t index) { return index < count; });
}

bool accelerators_exist(const PointBatch& batch, std::uint64_t count) {
  return std::all_of(batch.accelerator.begin(), batch.accelerator.end(),
                     [count](std::uint32_t i) { return i < count || i == kNoStoredAccelerator; });
}

void check_batch(const PointBatch& batch, std::size_t metrics) {
  const std::size_t size = batch.size();
  bool same = batch.network.size() == size && batch.accelerator.size() == size &&
              batch.feasible.size() == size && batch.reason.size() == size &&
              batch.strategy.size() == size && batch.step.size() == size;
  for (const std::vector<double>& column : batch.metrics) same = same && column.size() == size;
  require(same, "columns of a batch have one length");
  require(batch.metrics.size() == metrics, "a batch has every metric column");
}

template <class T>
void move_to_end(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

void append_to(PointBatch& buffer, const PointBatch& batch) {
  move_to_end(buffer.id, batch.id);
  move_to_end(buffer.network, batch.network);
  move_to_end(buffer.accelerator, batch.accelerator);
  buffer.metrics.resize(batch.metrics.size());
  for (std::size_t i = 0; i < batch.metrics.size(); ++i)
    move_to_end(buffer.metrics[i], batch.metrics[i]);
  move_to_end(buffer.feasible, batch.feasible);
  move_to_end(buffer.reason, batch.reason);
  move_to_end(buffer.strategy, batch.strategy);
  move_to_end(buffer.step, batch.step);
}

void drop_first(PointBatch& buffer, std::size_t count) {
  const auto drop = [count](auto& values) {
    values.erase(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count));
  };
  drop(buffer.id);
  drop(buffer.network);
  drop(buffer.accelerator);
  for (std::vector<double>& column : buffer.metrics) drop(column);
  drop(buffer.feasible);
  drop(buffer.reason);
  drop(buffer.strategy);
  drop(buffer.step);
}

}  // namespace

StudyStore::StudyStore(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
StudyStore::StudyStore(StudyStore&&) noexcept = default;
StudyStore& StudyStore::operator=(StudyStore&&) noexcept = default;
StudyStore::~StudyStore() = default;

StudyStore StudyStore::create(const std::filesystem::path& path, const StudyHeader& header,
                              const std::vector<MetricColumn>& metrics,
                              const std::vector<NetworkRow>& networks,
                              const AcceleratorTable& accelerators) {
  check_columns(metrics, accelerators);
  auto store = std::make_unique<Implementation>();
  store->path = path;
  store->header = header;
  store->metrics = metrics;
  store->network_count = networks.size();
  store->accelerator_count = accelerators.rows.size();
  store->partial.emplace(path);
  hdf5::naming(path, [&] {
    store->file = hdf5::create_file(store->partial->path());
    hdf5::write_identity(store->file);
    hdf5::write_header(store->file, header);
    hdf5::write_networks(store->file, networks);
    hdf5::write_accelerators(store->file, accelerators);
    store->points = hdf5::PointColumns::create(store->file, metrics);
  });
  return StudyStore(std::move(store));
}

void StudyStore::append(const PointBatch& batch) {
  Implementation& store = *implementation_;
  require(store.partial.has_value(), "a store opened for reading takes no points");
  check_batch(batch, store.metrics.size());
  require(all_below(batch.network, store.network_count), "a point's network is in the list");
  require(accelerators_exist(batch, store.accelerator_count),
          "a point's accelerator is in the list");
  require(all_below(batch.strategy, store.header.strategies.size()),
          "a point's strategy is in the list");
  std::uint64_t next_id = store.next_id;
  for (const std::uint64_t id : batch.id) {
    require(id >= next_id, "ids increase");
    next_id = id + 1;
  }
  append_to(store.buffer, batch);
  store.point_count += batch.size();
  store.next_id = next_id;
  // Whole chunks only: each is compressed once, and how the caller cuts batches leaves no trace.
  const std::size_t whole = store.buffer.size() / hdf5::kChunkRows * hdf5::kChunkRows;
  if (whole == 0) return;
  hdf5::naming(store.path, [&] { store.points->append(store.buffer, whole); });
  drop_first(store.buffer, whole);
}

void StudyStore::finish(const StudyResult& result) {
  Implementation& store = *implementation_;
  require(store.partial.has_value(), "a store is finished once");
  for (const std::string& objective : result.front.objectives)
    require(std::any_of(store.metrics.begin(), store.metrics.end(),
                        [&](const MetricColumn& metric) { return metric.name == objective; }),
            "an objective is a metric column");
  hdf5::naming(store.path, [&] {
    if (store.buffer.size() > 0) store.points->append(store.buffer, store.buffer.size());
    store.points.reset();
    hdf5::write_result(store.file, result);
    store.file.close("write the file");
  });
  store.partial->commit();
  store.partial.reset();
}

StudyStore StudyStore::open(const std::filesystem::path& path) {
  std::error_code error;
  const bool exists = std::filesystem::exists(path, error);
  if (error) throw FileError({path.string()}, "cannot open: " + error.message());
  if (!exists) throw FileError({path.string()}, "cannot open: no such file");
  if (std::filesystem::is_directory(path, error))
    throw FileError({path.string()}, "is a folder; expected a study file");
  auto store = std::make_unique<Implementation>();
  store->path = path;
  hdf5::naming(path, [&] {
    if (::access(path.c_str(), R_OK) != 0)
      throw FileError({path.string()}, fmt::format("cannot open: {}", std::strerror(errno)));
    if (!hdf5::is_hdf5(path))
      throw UserError({path.string()}, "is not an HDF5 file; expected a study that cosearch wrote");
    store->file = hdf5::open_newest(path);
    store->header = hdf5::read_header(store->file);
    store->metrics = hdf5::read_metric_columns(store->file);
    store->points = hdf5::PointColumns::open(store->file, store->metrics);
    store->point_count = store->points->id.size();
    store->network_count = hdf5::rows_in(store->file, "networks");
    store->accelerator_count = hdf5::rows_in(store->file, "accelerators");
    store->result = hdf5::read_result(store->file);
  });
  return StudyStore(std::move(store));
}

const StudyHeader& StudyStore::header() const { return implementation_->header; }
const std::vector<MetricColumn>& StudyStore::metrics() const { return implementation_->metrics; }
std::string StudyStore::configuration_hash() const {
  return sha256(implementation_->header.configuration);
}
std::uint64_t StudyStore::point_count() const { return implementation_->point_count; }
const StudyResult& StudyStore::result() const { return implementation_->result; }

std::vector<NetworkRow> StudyStore::networks() const {
  const Implementation& store = *implementation_;
  return hdf5::naming(store.path, [&] { return hdf5::read_networks(store.file); });
}

AcceleratorTable StudyStore::accelerators() const {
  const Implementation& store = *implementation_;
  return hdf5::naming(store.path, [&] { return hdf5::read_accelerators(store.file); });
}

namespace {

// Callers index their lists with what a file says; a file that says too much is damaged.
void check_indices(const PointBatch& batch, std::uint64_t networks, std::uint64_t accelerators,
                   const StudyHeader& header, const StudyResult& result) {
  if (!all_below(batch.network, networks) || !accelerators_exist(batch, accelerators) ||
      !all_below(batch.strategy, header.strategies.size()) ||
      !all_below(batch.reason, result.reasons.size()))
    throw hdf5::Error("is damaged: a point names a row that is not there");
}

}  // namespace

PointBatch StudyStore::points(std::uint64_t first, std::uint64_t count) const {
  const Implementation& store = *implementation_;
  require(!store.partial.has_value(), "points are read from a store that was opened");
  return hdf5::naming(store.path, [&] {
    PointBatch batch = store.points->read(first, count);
    check_indices(batch, store.network_count, store.accelerator_count, store.header, store.result);
    return batch;
  });
}

PointBatch StudyStore::points_with(std::span<const std::uint64_t> ids) const {
  const Implementation& store = *implementation_;
  require(!store.partial.has_value(), "points are read from a store that was opened");
  return hdf5::naming(store.path, [&] {
    const std::vector<std::uint64_t> all = store.points->id.read_all();
    std::vector<std::uint64_t> rows;
    for (const std::uint64_t id : ids) {
      const auto found = std::lower_bound(all.begin(), all.end(), id);
      if (found == all.end() || *found != id)
        throw UserError({store.path.string()}, fmt::format("has no point {}", id));
      rows.push_back(static_cast<std::uint64_t>(found - all.begin()));
    }
    PointBatch batch = store.points->read_rows(rows);
    check_indices(batch, store.network_count, store.accelerator_count, store.header, store.result);
    return batch;
  });
}

std::string hdf5_version() {
  const hdf5::SilentErrors silent;  // may be the first use of HDF5, which it prepares
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

}  // namespace cosearch::datasets
