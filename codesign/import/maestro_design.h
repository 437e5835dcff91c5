// MAESTRO's layers, hardware and directives as ours, and back. docs/peers.md shows both ways.
//
// The machine of a mapping is DRAM, the shared buffer L2, one level for each `Cluster`, and L1 in
// each processing element. MAESTRO's clusters are wires: their level costs nothing and has no
// limit, but what enters a cluster is counted once there, as MAESTRO does.
//
// A directive is a loop over tiles: `TemporalMap(4,4) K` one in time, `SpatialMap(4,4) K` one over
// the units of its cluster and, outside of it, one in time over as many as there are units. `Y` and
// `X` count input rows and columns; `TemporalMap(Sz(R),1) Y` is a window that slides by one output.
#pragma once

#include "codesign/import/layer_design.h"
#include "core/network.h"
#include "datasets/maestro_file.h"

namespace cosearch::codesign {

/// Throws UserError at the layer for a type that has no cost there (only CONV, FC, DSCONV, NGCONV
/// and GEMM have) or for extents that make no layer. MAESTRO pads nothing: Y and X are the input's,
/// and a window larger than them has one position.
[[nodiscard]] Layer maestro_layer(const datasets::MaestroNetwork& network,
                                  const datasets::MaestroLayer& layer);

/// All layers, without what the dataflows say, each reading the one before it.
[[nodiscard]] Network maestro_layers(const datasets::MaestroNetwork& network);

struct MaestroOptions {
  /// Whether L1 and L2 have the hardware file's sizes, which MAESTRO itself never applies. More
  /// loops then stand at DRAM: as many as it takes until L2 holds its tile.
  bool capacities = false;
};

/// One layer with its dataflow on `hardware`. All values are one word wide, partial sums too, and
/// cost what MAESTRO's table says. Throws UserError at the directive that cannot be translated.
[[nodiscard]] LayerDesign import_maestro(const datasets::MaestroNetwork& network,
                                         const datasets::MaestroLayer& layer,
                                         const datasets::MaestroHardware& hardware,
                                         const MaestroOptions& options = {});

struct MaestroFiles {
  datasets::MaestroNetwork network;
  datasets::MaestroHardware hardware;
};

/// What import_maestro takes back. Padding becomes part of the input, and the order of the loops
/// inside a processing element, which MAESTRO has no word for, is lost. Throws UserError, naming
/// the level, for what MAESTRO cannot say: dilation, tensors that pass by a level, a dimension cut
/// twice at one level.
[[nodiscard]] MaestroFiles export_maestro(const LayerDesign& design);

}  // namespace cosearch::codesign
