// RegNet: residual networks whose block widths follow one quantised line.
// Source: I. Radosavovic et al., "Designing Network Design Spaces", CVPR 2020, section 3.3
// (equations 2 to 4) and table 4 (RegNetX), section 6 (RegNetY).
#pragma once

#include <memory>
#include <vector>

#include "nas/space.h"

namespace cosearch::nas {

/// Genotypes read "depth;w0;wa;wm;group;se": blocks in all, width of the first, slope of the line,
/// ratio of successive stage widths in hundredths, width of a group of the 3x3 convolutions, and
/// whether blocks squeeze and excite (RegNetY) or not (RegNetX). The bottleneck ratio is 1, as the
/// paper recommends. The paper draws wa and wm from intervals; these are grids in them: steps of 1
/// and of 0.05. Not every published RegNet lies on them.
[[nodiscard]] std::vector<SpaceOption> regnet_options();
/// `options` complete, as make_space hands them on.
[[nodiscard]] std::unique_ptr<NetworkSpace> make_regnet(const SpaceOptions& options);

}  // namespace cosearch::nas
