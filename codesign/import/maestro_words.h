// Which of MAESTRO's dimensions is which of ours: shared by both directions.
#pragma once

#include <array>
#include <string_view>

#include "accel/dimension.h"

namespace cosearch::codesign {

/// How MAESTRO names a loop over one of our dimensions in a layer of some type.
struct MaestroWord {
  std::string_view word;
  accel::Dimension dimension;
};

/// Y' and X' are outputs; Y and X, inputs, are windows over them.
inline constexpr std::array kConvolutionWords{
    MaestroWord{"N", accel::Dimension::N},  MaestroWord{"G", accel::Dimension::G},
    MaestroWord{"K", accel::Dimension::K},  MaestroWord{"C", accel::Dimension::C},
    MaestroWord{"R", accel::Dimension::R},  MaestroWord{"S", accel::Dimension::S},
    MaestroWord{"Y'", accel::Dimension::P}, MaestroWord{"X'", accel::Dimension::Q}};

/// The channels of a depthwise convolution are its groups.
inline constexpr std::array kDepthwiseWords{
    MaestroWord{"N", accel::Dimension::N}, MaestroWord{"C", accel::Dimension::G},
    MaestroWord{"K", accel::Dimension::K}, MaestroWord{"R", accel::Dimension::R},
    MaestroWord{"S", accel::Dimension::S}, MaestroWord{"Y'", accel::Dimension::P},
    MaestroWord{"X'", accel::Dimension::Q}};

/// (M x K) times (K x N).
inline constexpr std::array kGemmWords{MaestroWord{"M", accel::Dimension::P},
                                       MaestroWord{"N", accel::Dimension::K},
                                       MaestroWord{"K", accel::Dimension::C}};

}  // namespace cosearch::codesign
