#include "codesign/import/peer_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>

#include "codesign/import/timeloop_design.h"
#include "core/user_error.h"
#include "datasets/file_bytes.h"
#include "datasets/maestro_file.h"
#include "datasets/timeloop_file.h"

namespace cosearch::codesign {
namespace {

bool is_maestro(const std::filesystem::path& path) { return path.extension() == ".m"; }

/// Hardware files are settings; only mappings have braces.
bool is_mapping(const std::string& text) { return text.find('{') != std::string::npos; }

std::vector<LayerDesign> read_maestro(const std::vector<std::filesystem::path>& paths,
                                      const MaestroOptions& options) {
  std::optional<datasets::MaestroNetwork> network;
  std::optional<datasets::MaestroHardware> hardware;
  for (const std::filesystem::path& path : paths) {
    const std::string text = datasets::read_file(path);
    const bool mapping = is_mapping(text);
    if (mapping ? network.has_value() : hardware.has_value())
      throw UserError({path.string()}, mapping ? "a second mapping" : "a second hardware file");
    if (mapping)
      network = datasets::parse_maestro_network(text, path.string());
    else
      hardware = datasets::parse_maestro_hardware(text, path.string());
  }
  if (!network || !hardware)
    throw UserError(fmt::format("a {} of MAESTRO is needed too",
                                network ? "hardware file (num_pes: ...)" : "mapping file"));
  std::vector<LayerDesign> layers;
  for (const datasets::MaestroLayer& layer : network->layers)
    layers.push_back(import_maestro(*network, layer, *hardware, options));
  return layers;
}

/// `name` as a file's name, distinct from all in `taken`.
std::string file_name(std::string name, std::set<std::string>& taken) {
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '.'; }, '_');
  if (name.empty() || name.front() == '.') name = "layer" + name;
  std::string unique = name;
  for (int i = 2; !taken.insert(unique).second; ++i) unique = fmt::format("{}-{}", name, i);
  return unique;
}

std::vector<NamedText> timeloop_files_of(const std::vector<LayerDesign>& layers) {
  std::vector<NamedText> files;
  std::set<std::string> taken;
  for (const LayerDesign& layer : layers)
    files.push_back({file_name(layer.name, taken) + ".yaml", to_text(export_timeloop(layer))});
  return files;
}

std::vector<NamedText> maestro_files_of(const std::vector<LayerDesign>& layers) {
  struct Pair {
    std::string hardware;
    datasets::MaestroNetwork network;
  };
  std::vector<Pair> pairs;
  for (const LayerDesign& layer : layers) {
    MaestroFiles exported = export_maestro(layer);
    const std::string hardware = to_text(exported.hardware);
    const auto found = std::ranges::find(pairs, hardware, &Pair::hardware);
    if (found == pairs.end())
      pairs.push_back({hardware, std::move(exported.network)});
    else
      found->network.layers.push_back(std::move(exported.network.layers.front()));
  }
  std::vector<NamedText> files;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const std::string number = pairs.size() == 1 ? "" : fmt::format("-{}", i + 1);
    files.push_back({fmt::format("mapping{}.m", number), to_text(pairs[i].network)});
    files.push_back({fmt::format("hardware{}.m", number), pairs[i].hardware});
  }
  return files;
}

}  // namespace

PeerFormat find_peer_format(const std::string& name) {
  if (name == "maestro") return PeerFormat::maestro;
  if (name == "timeloop") return PeerFormat::timeloop;
  throw UserError(
      fmt::format("no format '{}'{}", name, did_you_mean(name, {"maestro", "timeloop"})));
}

std::vector<LayerDesign> read_peer_files(const std::vector<std::filesystem::path>& paths,
                                         const MaestroOptions& options) {
  const auto maestro = std::ranges::count_if(paths, is_maestro);
  if (maestro != 0 && maestro != std::ssize(paths))
    throw UserError("files of MAESTRO (.m) and of Timeloop (.yaml) together; give one tool's");
  if (maestro != 0) return read_maestro(paths, options);
  return {import_timeloop(datasets::read_timeloop(paths))};
}

std::vector<NamedText> peer_files_of(const std::vector<LayerDesign>& layers, PeerFormat format) {
  return format == PeerFormat::maestro ? maestro_files_of(layers) : timeloop_files_of(layers);
}

}  // namespace cosearch::codesign
