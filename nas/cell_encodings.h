// Encodings of cells by their paths and by their adjacency matrices, for the spaces whose
// operations stand on vertices (NAS-Bench-101) or on the edges of nodes that sum (DARTS,
// NAS-Bench-201).
//
// Source: C. White, W. Neiswanger, Y. Savani, "BANANAS", AAAI 2021, section 4 (paths, truncated
// where they are many); C. White, W. Neiswanger, S. Nolen, Y. Savani, "A study on encodings for
// neural architecture search", NeurIPS 2020, section 3 (adjacency).
#pragma once

#include <functional>
#include <vector>

#include "nas/choice_space.h"
#include "nas/encoding.h"

namespace cosearch::nas {

/// Of a canonical genotype, so that spellings of one network are encoded alike.
struct CellEncoding {
  std::vector<EncodingColumn> columns;
  std::function<std::vector<double>(const Choices& canonical)> encode;
};

/// How often each sequence of at most five operations leads from the input to the output.
[[nodiscard]] CellEncoding nas_bench_101_paths();
/// Whether each vertex feeds each later one, and the operation of each vertex that runs.
[[nodiscard]] CellEncoding nas_bench_101_adjacency();

/// How often each sequence of at most three operations leads from each input to the output of each
/// of the two cells; longer ones, of which there are thousands, are left out.
[[nodiscard]] CellEncoding darts_paths();
/// Whether each operation leads from each input or node to each later node of each cell.
[[nodiscard]] CellEncoding darts_adjacency();

/// The operation of each edge.
[[nodiscard]] CellEncoding nas_bench_201_adjacency();

}  // namespace cosearch::nas
