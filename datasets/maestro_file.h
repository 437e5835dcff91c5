// MAESTRO's files as they stand: mapping files (networks, with or without dataflows) and hardware
// files. What their directives mean is codesign/import/maestro_design.h's.
//
//   Constant TILE 8;                                  // numbers by name
//   Network NAME {
//     Layer NAME {
//       Type: CONV
//       Stride { X: 2, Y: 2 }
//       Dimensions { K: 64, C: 3, R: 7, S: 7, Y: 224, X: 224 }
//       Dataflow {
//         SpatialMap(1,1) K;
//         TemporalMap(Sz(R),1) Y;
//         Cluster(64, P);
//         TemporalMap(TILE + Sz(S) - 1, TILE) X;
//       }
//     }
//   }
//
// Sources: H. Kwon et al., Understanding Reuse, Performance, and Hardware Cost of DNN Dataflows: A
// Data-Centric Approach, MICRO 2019, for the directives; the files in data/ of
// github.com/maestro-project/maestro for the spelling.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/user_error.h"

namespace cosearch::datasets {

/// Largest number that a file may hold: products of two stay within 64 bits.
inline constexpr std::int64_t kLargestMaestroNumber = 1'000'000'000;

struct MaestroDirective {
  enum class Kind : std::uint8_t { spatial_map, temporal_map, cluster };

  Kind kind = Kind::temporal_map;
  /// Evaluated: constants and `Sz(D)` have their values. A cluster has no offset.
  std::int64_t size = 1, offset = 1;
  /// "K", "Y'", ...; of a cluster the unit, "P" for physical.
  std::string dimension;
  /// As written, for messages.
  std::string text;
  int line = 0, column = 0;
};

/// Names of the dimensions: those of a convolution, G for groups, M for the rows of a GEMM.
inline constexpr std::array<std::string_view, 9> kMaestroDimensions{"N", "G", "K", "C", "R",
                                                                    "S", "Y", "X", "M"};

struct MaestroLayer {
  std::string name;
  /// "CONV", "DSCONV", ...: any word.
  std::string type;
  int line = 0, column = 0;            ///< of the name
  int type_line = 0, type_column = 0;  ///< of the type
  std::int64_t stride_x = 1, stride_y = 1;
  /// In the order of kMaestroDimensions; absent where the file does not name it.
  std::array<std::optional<std::int64_t>, kMaestroDimensions.size()> dimensions;
  /// Empty in files that describe only the network.
  std::vector<MaestroDirective> dataflow;

  /// Throws UserError for a name that is no dimension.
  [[nodiscard]] std::optional<std::int64_t> dimension(std::string_view name) const;
};

struct MaestroNetwork {
  std::string file, name;
  std::vector<MaestroLayer> layers;

  [[nodiscard]] SourceLocation where(const MaestroLayer& layer) const {
    return {file, layer.line, layer.column};
  }
  [[nodiscard]] SourceLocation where(const MaestroDirective& directive) const {
    return {file, directive.line, directive.column};
  }
};

/// Sizes in elements, bandwidths in elements per cycle; absent: without limit.
struct MaestroHardware {
  std::string file;
  std::int64_t num_pes = 1;
  std::optional<std::int64_t> l1_size, l2_size;
  std::optional<std::int64_t> noc_bandwidth, offchip_bandwidth;
};

/// Throws FileError when the file cannot be read, and UserError at file:line:column for what is not
/// of the format: which word stands there, and what was expected.
[[nodiscard]] MaestroNetwork read_maestro_network(const std::filesystem::path& path);
[[nodiscard]] MaestroNetwork parse_maestro_network(std::string_view text, std::string name);

/// One `name: number` a line; the spellings of newer files (num_pes, l1_size_cstr, ...) and of
/// older ones (NumPEs, L1Size, ...).
[[nodiscard]] MaestroHardware read_maestro_hardware(const std::filesystem::path& path);
[[nodiscard]] MaestroHardware parse_maestro_hardware(std::string_view text, std::string name);

/// Text that the functions above read back as the same values.
[[nodiscard]] std::string to_text(const MaestroNetwork& network);
[[nodiscard]] std::string to_text(const MaestroHardware& hardware);

}  // namespace cosearch::datasets
