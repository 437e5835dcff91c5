#include "codesign/import/peer_files.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "accel/nest_cost.h"
#include "tests/datasets/support.h"

namespace cosearch::codesign::test {
namespace {

using cosearch::test::message_of;
using cosearch::test::TemporaryFolder;
using cosearch::test::write_bytes;

constexpr const char* kMapping =
    "Network n {\n"
    "Layer a { Type: CONV Dimensions { K: 8, C: 4, R: 3, S: 3, Y: 10, X: 10 }\n"
    "Dataflow { SpatialMap(1,1) K; TemporalMap(2,2) C; TemporalMap(Sz(R),1) Y; } }\n"
    "Layer a { Type: CONV Dimensions { K: 8, C: 4, R: 1, S: 1, Y: 10, X: 10 }\n"
    "Dataflow { SpatialMap(1,1) Y'; Cluster(2,P); SpatialMap(1,1) C; } }\n}\n";
constexpr const char* kHardware = "num_pes: 4\nnoc_bw_cstr: 8\noffchip_bw_cstr: 4\n";

std::vector<std::int64_t> cycles(const std::vector<LayerDesign>& layers) {
  std::vector<std::int64_t> all;
  for (const LayerDesign& layer : layers)
    all.push_back(evaluate(layer.layer, layer.machine, layer.nest).cycles().value);
  return all;
}

class PeerFiles : public testing::Test {
 protected:
  PeerFiles() {
    write_bytes(folder_ / "mapping.m", kMapping);
    write_bytes(folder_ / "hardware.m", kHardware);
  }

  std::vector<std::filesystem::path> write(const std::vector<NamedText>& files) {
    std::vector<std::filesystem::path> paths;
    for (const NamedText& file : files) {
      paths.push_back(folder_ / ("out-" + file.name));
      write_bytes(paths.back(), file.text);
    }
    return paths;
  }

  TemporaryFolder folder_;
};

TEST_F(PeerFiles, EitherOrderAndThroughTheOtherToolsFormatTheCostIsTheSame) {
  const auto layers = read_peer_files({folder_ / "hardware.m", folder_ / "mapping.m"});
  ASSERT_EQ(layers.size(), 2U);
  EXPECT_EQ(cycles(read_peer_files(write(peer_files_of(layers, PeerFormat::maestro)))),
            cycles(layers));
  const std::vector<NamedText> timeloop = peer_files_of(layers, PeerFormat::timeloop);
  ASSERT_EQ(timeloop.size(), 2U);
  EXPECT_EQ(timeloop[0].name, "a.yaml");
  EXPECT_EQ(timeloop[1].name, "a-2.yaml");
  const auto paths = write(timeloop);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto again = read_peer_files({paths[i]});
    EXPECT_EQ(cycles(again), cycles({layers[i]}));
    EXPECT_EQ(cycles(read_peer_files(write(peer_files_of(again, PeerFormat::maestro)))),
              cycles({layers[i]}));
  }
}

TEST_F(PeerFiles, LayersOnDifferentHardwareGetFilesOfTheirOwn) {
  auto layers = read_peer_files({folder_ / "hardware.m", folder_ / "mapping.m"});
  layers[1].machine.levels[0].read_bandwidth = 2;
  std::vector<std::string> names;
  for (const NamedText& file : peer_files_of(layers, PeerFormat::maestro))
    names.push_back(file.name);
  EXPECT_EQ(names, (std::vector<std::string>{"mapping-1.m", "hardware-1.m", "mapping-2.m",
                                             "hardware-2.m"}));
}

TEST_F(PeerFiles, SaysWhatIsMissingOrTooMuch) {
  const auto message = [&](const std::vector<std::filesystem::path>& paths) {
    return message_of([&] { (void)read_peer_files(paths); });
  };
  EXPECT_EQ(message({folder_ / "mapping.m"}),
            "a hardware file (num_pes: ...) of MAESTRO is needed too");
  EXPECT_EQ(message({folder_ / "hardware.m"}), "a mapping file of MAESTRO is needed too");
  EXPECT_EQ(message({folder_ / "mapping.m", folder_ / "mapping.m"}),
            (folder_ / "mapping.m").string() + ": a second mapping");
  EXPECT_EQ(message({folder_ / "mapping.m", folder_ / "problem.yaml"}),
            "files of MAESTRO (.m) and of Timeloop (.yaml) together; give one tool's");
  EXPECT_EQ(message_of([] { (void)find_peer_format("timelop"); }),
            "no format 'timelop' (did you mean 'timeloop'?)");
}

}  // namespace
}  // namespace cosearch::codesign::test
