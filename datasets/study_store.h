// Every evaluated design of one study, forever, in one HDF5 file that h5py and pandas read without
// our code. On-disk layout: datasets/FORMAT.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace cosearch::datasets {

/// In PointBatch::accelerator: only the network was asked about.
inline constexpr std::uint32_t kNoStoredAccelerator = 0xffffffff;

/// One number per point. `direction` is "minimise" or "maximise".
struct MetricColumn {
  std::string name, unit, direction;
  friend bool operator==(const MetricColumn&, const MetricColumn&) = default;
};

/// What was asked, of whom, and by which program.
struct StudyHeader {
  std::string name;
  std::uint64_t seed = 0;
  std::string strategy;
  std::string program_version;
  std::map<std::string, std::string> library_versions;
  std::string created;  ///< UTC, ISO 8601; the caller's, so that a test can repeat it
  std::string command_line;
  std::string configuration;  ///< the study file, verbatim
  /// The file that describes the networks' space, verbatim; empty for a space of the program's own.
  std::string space_file;
  /// Text by path of the machine files and technologies that the study names, verbatim.
  std::map<std::string, std::string> machine_files = {};
  /// SHA-256 of the files that the study names and whose content stands nowhere else in the store,
  /// in hexadecimal, by their keys in the study ("networks.scores.file").
  std::map<std::string, std::string> input_hashes = {};
  /// What PointBatch::strategy indexes: who may propose points.
  std::vector<std::string> strategies;
  /// What PointBatch::accuracy_source indexes; [0] is "" (no accuracy is known).
  std::vector<std::string> accuracy_sources = {""};
  friend bool operator==(const StudyHeader&, const StudyHeader&) = default;
};

/// A network; its id is its place in the list.
struct NetworkRow {
  std::string name, space, genotype;
  std::string canonical;  ///< equal for two spellings of one network
  double accuracy = std::numeric_limits<double>::quiet_NaN();  ///< percent; NaN when not known
  std::int64_t macs = 0, parameters = 0;
  friend bool operator==(const NetworkRow&, const NetworkRow&) = default;
};

/// An accelerator; its id is its place in the list.
struct AcceleratorRow {
  std::string name, template_name;
  std::vector<double> parameters;    ///< one per column of the table; NaN where it has none
  std::string text_parameters = {};  ///< JSON: those that no column can hold, by name; may be empty
};

struct ParameterColumn {
  std::string name, unit;
  friend bool operator==(const ParameterColumn&, const ParameterColumn&) = default;
};

struct AcceleratorTable {
  std::vector<ParameterColumn> parameters;
  std::vector<AcceleratorRow> rows;
};

/// Points as columns of one length.
struct PointBatch {
  std::vector<std::uint64_t> id;  ///< strictly increasing over the whole study
  std::vector<std::uint32_t> network, accelerator;
  std::vector<std::vector<double>> metrics;  ///< one list per MetricColumn; NaN when not known
  std::vector<std::uint8_t> feasible;        ///< 1: runs and meets every constraint
  std::vector<std::uint16_t> reason;    ///< 0: runs (if not feasible, a constraint is broken); else
                                        ///< why not, as an index into StudyResult::reasons
  std::vector<std::uint16_t> strategy;  ///< who proposed it: an index into StudyHeader::strategies
  std::vector<std::uint64_t> step;      ///< the proposer's batch, from 0
  /// Who said what the accuracy is: an index into StudyHeader::accuracy_sources.
  std::vector<std::uint16_t> accuracy_source;
  /// Standard deviation of a predicted accuracy, in percentage points; NaN of any other.
  std::vector<double> accuracy_spread;

  [[nodiscard]] std::size_t size() const { return id.size(); }
  friend bool operator==(const PointBatch&, const PointBatch&) = default;
};

/// Fills in what studies before schema 2 did not say of `points`: any accuracy was a table's.
void add_table_provenance(PointBatch& points, const std::vector<MetricColumn>& metrics);

/// The `accuracy_sources` of those studies.
[[nodiscard]] std::vector<std::string> table_provenance();

/// What nothing else in the study beats.
struct StudyFront {
  std::vector<std::uint64_t> ids;
  std::vector<std::string> objectives;  ///< names of metric columns
  std::vector<double> reference_point;  ///< one per objective, in its unit; may be empty
  double hypervolume = std::numeric_limits<double>::quiet_NaN();  ///< NaN when not computed
};

struct StoredCounts {
  std::uint64_t trials = 0, networks = 0, hardware = 0, layers = 0;
  friend bool operator==(const StoredCounts&, const StoredCounts&) = default;
};

/// What is known only at the end.
struct StudyResult {
  StudyFront front;
  StoredCounts counts;
  /// Why designs cannot run; [0] is "" (it runs). Empty means that every design ran.
  std::vector<std::string> reasons;
  bool complete = true;  ///< false when a limit or the user stopped the search
};

/// Protocol: create append* finish, or open and read. Nothing stands at the path before `finish`: a
/// store that is destroyed earlier, by an exception say, leaves nothing behind.
/// Every function throws FileError naming the path when the file system or HDF5 refuses; one
/// thread.
class StudyStore {
 public:
  /// Starts a study that will stand at `path`, replacing what is there only in `finish`.
  static StudyStore create(const std::filesystem::path& path, const StudyHeader& header,
                           const std::vector<MetricColumn>& metrics,
                           const std::vector<NetworkRow>& networks,
                           const AcceleratorTable& accelerators);

  /// Opens for reading. Throws UserError for a file that is not HDF5, is not a study, or has a
  /// newer format than this program knows (which the message names); FileError for a damaged one.
  /// One of an older schema is migrated in memory: it stays on the disk as it is.
  static StudyStore open(const std::filesystem::path& path);

  StudyStore(StudyStore&&) noexcept;
  StudyStore& operator=(StudyStore&&) noexcept;
  ~StudyStore();

  /// Throws std::invalid_argument when columns differ in length, an index has no row in its list
  /// or ids do not increase: a mistake of the caller, not of the user.
  void append(const PointBatch& batch);

  /// Writes what is left, closes the file and gives it its name. Nothing but destruction may
  /// follow.
  void finish(const StudyResult& result);

  [[nodiscard]] const StudyHeader& header() const;
  [[nodiscard]] const std::vector<MetricColumn>& metrics() const;
  /// SHA-256 of the configuration, in hexadecimal: equal for equal study files.
  [[nodiscard]] std::string configuration_hash() const;
  [[nodiscard]] std::uint64_t point_count() const;

  // Of a store that was opened, not of one being written:
  [[nodiscard]] std::vector<NetworkRow> networks() const;
  [[nodiscard]] AcceleratorTable accelerators() const;
  /// Points [first, first + count), cut at the end.
  [[nodiscard]] PointBatch points(std::uint64_t first, std::uint64_t count) const;
  /// The points with these ids, in this order. Throws UserError for an id that is not there.
  [[nodiscard]] PointBatch points_with(std::span<const std::uint64_t> ids) const;
  /// Front, counts, reasons and completeness as given to `finish`.
  [[nodiscard]] const StudyResult& result() const;
  [[nodiscard]] const StudyFront& front() const { return result().front; }

 private:
  struct Implementation;
  explicit StudyStore(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

/// Version of the HDF5 library in use, "1.10.8".
[[nodiscard]] std::string hdf5_version();

}  // namespace cosearch::datasets
