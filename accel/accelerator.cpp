#include "accel/accelerator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/user_error.h"

namespace cosearch::accel {
namespace {

constexpr std::int64_t kibibyte = 1024;

NamedAccelerator nvdla(std::string name, std::int64_t kernels, std::int64_t channels,
                       std::int64_t buffer_kib, double bandwidth, std::string source) {
  AcceleratorParameters p;
  p.template_name = "nvdla";
  p.pe_rows = kernels;
  p.pe_columns = channels;
  p.pe_buffer = {128};
  p.shared_buffer = {buffer_kib * kibibyte};
  p.noc_bandwidth = 4 * bandwidth;
  p.dram_bandwidth = bandwidth;
  p.clock = {1e9};
  return {std::move(name), p,
          std::move(source) +
              "; assumed: 128 bytes per PE (NVDLA keeps one weight per multiplier and sums in a "
              "separate accumulator), NoC four times as wide as DRAM, 1 GHz"};
}

NamedAccelerator eyeriss() {
  AcceleratorParameters p;
  p.template_name = "eyeriss";
  p.pe_rows = 12;
  p.pe_columns = 14;
  p.pe_buffer = {512};
  p.shared_buffer = {108 * kibibyte};
  p.noc_bandwidth = 32;
  p.dram_bandwidth = 8;
  p.clock = {200e6};
  p.precision_bits = 16;
  return {
      "eyeriss-168", p,
      "Y.-H. Chen et al., Eyeriss, JSSC 52(1), 2017: 12 x 14 PEs, 108 KB global buffer, 16 bits, "
      "200 MHz, about 0.5 KB of scratch pads per PE; assumed: bandwidths, one scratch pad in "
      "place of three"};
}

NamedAccelerator shidiannao() {
  AcceleratorParameters p;
  p.template_name = "shidiannao";
  p.pe_rows = 8;
  p.pe_columns = 8;
  p.pe_buffer = {512};
  p.shared_buffer = {288 * kibibyte};
  p.noc_bandwidth = 64;
  p.dram_bandwidth = 16;
  p.clock = {1e9};
  p.precision_bits = 16;
  return {"shidiannao-64", p,
          "Z. Du et al., ShiDianNao, ISCA 2015: 8 x 8 PEs, 288 KB of SRAM in all, 16 bits, 1 GHz; "
          "assumed: PE buffer, bandwidths, one buffer in place of four"};
}

NamedAccelerator xp_ws(std::string name, std::int64_t rows, std::int64_t columns, double noc,
                       double dram, std::string source) {
  AcceleratorParameters p;
  p.template_name = "xp_ws";
  p.pe_rows = rows;
  p.pe_columns = columns;
  p.noc_bandwidth = noc;
  p.dram_bandwidth = dram;
  return {std::move(name), p, std::move(source) + "; assumed: buffers, 200 MHz"};
}

}  // namespace

std::vector<std::string> template_names() { return {"nvdla", "eyeriss", "shidiannao", "xp_ws"}; }

std::vector<std::string> problems_in(const AcceleratorParameters& parameters) {
  std::vector<std::string> problems;
  const auto names = template_names();
  if (std::find(names.begin(), names.end(), parameters.template_name) == names.end())
    problems.push_back("template_name = '" + parameters.template_name + "': unknown template" +
                       did_you_mean(parameters.template_name, names));
  const auto in_range = [&](const char* name, std::int64_t value, std::int64_t most) {
    if (value < 1 || value > most)
      problems.push_back(std::string(name) + " = " + std::to_string(value) + ": must be in [1, " +
                         std::to_string(most) + "]");
  };
  const auto positive = [&](const char* name, double value) {
    if (!std::isfinite(value) || value <= 0)
      problems.push_back(std::string(name) + " = " + std::to_string(value) +
                         ": must be a finite number above 0");
  };
  // Less would make cycles overflow.
  const auto bandwidth = [&](const char* name, double value) {
    if (!(value >= 0.01 && value <= 1e9))
      problems.push_back(std::string(name) + " = " + std::to_string(value) +
                         ": must be in [0.01, 1e9]");
  };
  in_range("pe_rows", parameters.pe_rows, 65536);
  in_range("pe_columns", parameters.pe_columns, 65536);
  in_range("pe_buffer (bytes)", parameters.pe_buffer.value, std::int64_t{1} << 40);
  in_range("shared_buffer (bytes)", parameters.shared_buffer.value, std::int64_t{1} << 40);
  bandwidth("noc_bandwidth (bytes per cycle)", parameters.noc_bandwidth);
  bandwidth("dram_bandwidth (bytes per cycle)", parameters.dram_bandwidth);
  positive("clock (Hz)", parameters.clock.value);
  const auto bits = parameters.precision_bits;
  if (bits != 8 && bits != 16 && bits != 32)
    problems.push_back("precision_bits = " + std::to_string(bits) + ": must be 8, 16 or 32");
  return problems;
}

Accelerator make_accelerator(std::string name, const AcceleratorParameters& parameters,
                             const TechnologyTable& technology) {
  if (const auto problems = problems_in(parameters); !problems.empty()) {
    std::string message = "accelerator '" + name + "'";
    for (std::size_t i = 0; i < problems.size(); ++i)
      message += (i == 0 ? ": " : "; ") + problems[i];
    throw UserError(message);
  }
  return {std::move(name), parameters, technology};
}

const std::vector<NamedAccelerator>& named_accelerators() {
  static const std::vector<NamedAccelerator> machines{
      nvdla(
          "nvdla-64", 8, 8, 128, 8,
          "NVDLA hardware repository (nvdla/hw), spec/defs/nv_small.spec: 8 kernels x 8 channels, "
          "convolution buffer 32 banks x 8 x 512 bytes, 64-bit memory interface"),
      nvdla("nvdla-256", 8, 32, 128, 8,
            "NVDLA hardware repository (nvdla/hw), spec/defs/nv_small_256.spec: 8 kernels x 32 "
            "channels, convolution buffer 32 banks x 32 x 128 bytes, 64-bit memory interface"),
      nvdla(
          "nvdla-1024", 16, 64, 1024, 32,
          "NVDLA hardware repository (nvdla/hw), spec/defs/nv_medium_1024_full.spec: 16 kernels x "
          "64 channels, convolution buffer 32 banks x 64 x 512 bytes; assumed: 32 bytes per cycle "
          "of DRAM"),
      eyeriss(),
      shidiannao(),
      xp_ws("xp-ws-64", 8, 8, 64, 16,
            "the dataflow of xp-ws-256 at a quarter of the PEs; assumed: bandwidths"),
      xp_ws("xp-ws-256", 16, 16, 1000, 300,
            "B. Lu et al., A semi-decoupled approach to fast and optimal hardware-software "
            "co-design, arXiv 2203.13921, accelerator 1: 256 PEs, 1000 and 300 elements per cycle"),
  };
  return machines;
}

}  // namespace cosearch::accel
