// Files of other tools, whichever they are, as mapped layers, and back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "codesign/import/layer_design.h"
#include "codesign/import/maestro_design.h"

namespace cosearch::codesign {

enum class PeerFormat : std::uint8_t { maestro, timeloop };

/// Throws UserError, with a suggestion, for a name other than "maestro" and "timeloop".
[[nodiscard]] PeerFormat find_peer_format(const std::string& name);

/// A mapping file and a hardware file of MAESTRO (.m, in either order): all its layers; or files of
/// Timeloop (.yaml) that together have architecture, problem and mapping: one layer. Throws
/// FileError or UserError, at the line where there is one.
[[nodiscard]] std::vector<LayerDesign> read_peer_files(
    const std::vector<std::filesystem::path>& paths, const MaestroOptions& options = {});

/// A file that is to be written.
struct NamedText {
  std::string name, text;
};

/// The layers in files of `format`: for Timeloop one a layer, for MAESTRO a mapping and a hardware
/// file, several pairs where layers need different hardware.
[[nodiscard]] std::vector<NamedText> peer_files_of(const std::vector<LayerDesign>& layers,
                                                   PeerFormat format);

}  // namespace cosearch::codesign
