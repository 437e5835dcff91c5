// Timeloop's YAML files as they stand (versions 0.3 and 0.4): architecture, problem, mapping and
// constraints. What they mean is codesign/import/timeloop_design.h's.
//
// Template-free: tags (!Component) are understood; Jinja2 templates, anchors and merge keys have to
// be expanded first, for which the error says how.
//
// Sources: A. Parashar et al., Timeloop, ISPASS 2019, for the concepts; the exercises and
// configurations of github.com/NVlabs/timeloop for the spelling.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/user_error.h"

namespace cosearch::datasets {

struct TimeloopStorage {
  std::string name;
  SourceLocation where;
  /// In the whole machine, and how many of them lie side by side along X.
  std::int64_t instances = 1, mesh_x = 1;
  /// Words of one instance; absent: without limit.
  std::optional<std::int64_t> entries;
  std::int64_t word_bits = 16;
  std::int64_t block_size = 1;    ///< words of one access
  std::int64_t cluster_size = 1;  ///< instances side by side in one memory
  std::int64_t multiple_buffering = 1;
  /// Words per cycle and instance.
  std::optional<double> read_bandwidth, write_bandwidth, shared_bandwidth;
};

struct TimeloopArchitecture {
  SourceLocation where;
  /// Outermost first.
  std::vector<TimeloopStorage> levels;
  std::string compute = "mac";
  std::int64_t compute_instances = 1, compute_mesh_x = 1;
};

struct TimeloopProblem {
  /// Coefficient times dimension; an empty coefficient is 1.
  struct Term {
    std::string dimension, coefficient;
  };
  struct DataSpace {
    std::string name;
    SourceLocation where;
    bool read_write = false;
    /// One sum of terms for each rank.
    std::vector<std::vector<Term>> projection;
  };

  SourceLocation where;
  std::string shape;
  std::vector<std::string> dimensions;
  std::vector<DataSpace> data_spaces;
  /// Extents of dimensions and values of coefficients; all have one.
  std::map<std::string, std::int64_t> values;
};

struct TimeloopFactor {
  enum class Relation : std::uint8_t { equal, at_most, at_least };

  std::string dimension;
  Relation relation = Relation::equal;
  /// 0: in a mapping the whole dimension, in constraints whatever is left of it.
  std::int64_t bound = 1;
  /// Iterations of the last time round, where the loop does not divide.
  std::optional<std::int64_t> last_bound;
};

/// One entry of a mapping or of a list of constraints.
struct TimeloopDirective {
  enum class Kind : std::uint8_t { temporal, spatial, data_space };

  SourceLocation where;
  std::string target;
  Kind kind = Kind::temporal;
  std::vector<TimeloopFactor> factors;
  /// Innermost first.
  std::vector<std::string> permutation;
  /// Of a spatial entry: how many dimensions of the permutation run along X, the others along Y.
  std::optional<std::int64_t> split;
  std::vector<std::string> keep, bypass;
};

struct TimeloopFiles {
  std::optional<TimeloopArchitecture> architecture;
  std::optional<TimeloopProblem> problem;
  std::vector<TimeloopDirective> mapping, constraints;
  /// Parts of the files that say nothing about a design, as `mapper`: read over.
  std::vector<std::string> ignored;
};

/// The files together; each part may stand in any of them, once. Throws FileError for a file that
/// cannot be read, and UserError at file:line:column for what is not understood.
[[nodiscard]] TimeloopFiles read_timeloop(const std::vector<std::filesystem::path>& paths);
[[nodiscard]] TimeloopFiles parse_timeloop(std::string_view text, const std::string& name);

/// Text of version 0.3 that the functions above read back as the same values.
[[nodiscard]] std::string to_text(const TimeloopFiles& files);

}  // namespace cosearch::datasets
