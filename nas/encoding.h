// Networks as numbers, for predictors: which encodings a space offers, and the numbers of each of
// its genotypes. What two spellings of one network have in common is encoded alike by "path",
// "adjacency", "cell", "running" and the graph; "one-hot", "unit" and "spelled" encode the
// spelling.
//
// Path encoding: C. White, W. Neiswanger, Y. Savani, "BANANAS", AAAI 2021, section 4, here with
// counts instead of bits and with skip connections contracted, so that it belongs to the network.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nas/space.h"

namespace cosearch::nas {

/// What the numbers of a column are.
enum class EncodingKind : std::uint8_t {
  continuous,
  count,      ///< how often something occurs
  indicator,  ///< 0 or 1, one of several
};

struct EncodingColumn {
  std::string name;
  EncodingKind kind = EncodingKind::continuous;
};

/// A directed acyclic graph with an operation at each vertex; vertices are in topological order,
/// the input first and the output last.
struct EncodedGraph {
  std::vector<std::uint32_t> operations;                       ///< each below graph_operations()
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;  ///< from, to; from < to
};

/// Immutable, so every member may be called from several threads at once.
class NetworkEncoder {
 public:
  virtual ~NetworkEncoder() = default;
  [[nodiscard]] virtual const std::vector<EncodingColumn>& columns() const = 0;
  /// One number for each column. Throws UserError when `genotype` is not of the space.
  [[nodiscard]] virtual std::vector<double> encode(const std::string& genotype) const = 0;
};

/// The encodings that `space` offers: "one-hot" and "unit" (each choice scaled to [0, 1]) for every
/// space; for cells (NAS-Bench-101, NAS-Bench-201, DARTS) also "path" and "adjacency"
/// (nas/cell_encodings.h); for NAS-Bench-201 "cell" (what its graph looks like), "running" (how
/// many of each operation run) and "spelled" (how many are spelled, those without effect too).
[[nodiscard]] std::vector<std::string> encoding_names(const NetworkSpace& space);

/// Keeps `space`. Throws UserError (with a suggestion) for an encoding that it does not offer.
[[nodiscard]] std::unique_ptr<NetworkEncoder> make_encoder(
    std::shared_ptr<const NetworkSpace> space, const std::string& encoding);

/// How many operations the vertices of the space's graphs have, input and output included; 0 where
/// the space has no graphs.
[[nodiscard]] std::uint32_t graph_operations(const NetworkSpace& space);
/// Requires graph_operations(space) > 0. Throws UserError when `genotype` is not of the space.
[[nodiscard]] EncodedGraph encode_graph(const NetworkSpace& space, const std::string& genotype);

}  // namespace cosearch::nas
