#include "accel/machine_zoo.h"

namespace cosearch::accel {

// Embedded by accel/CMakeLists.txt.
extern const std::string_view kMachineEyerissV1, kMachineNvdla256, kMachineNvdla1024,
    kMachineShidiannao64, kMachineTpuV1, kMachineSimba, kMachineGemmini, kMachineEdgeTpuLike,
    kMachineAscendLike, kMachineMetaPrototypeLike, kMachineTpuLike, kMachineTeslaNpuLike,
    kMachineTimeloopEyeriss256, kMachineTimeloopSimba, kMachineTimeloopFlat256, kMachineNvdla,
    kMachineEyeriss, kMachineShidiannao, kMachineXpWs;

const std::vector<ShippedMachine>& shipped_machines() {
  static const std::vector<ShippedMachine> machines{
      {"eyeriss-v1", kMachineEyerissV1},
      {"nvdla-256", kMachineNvdla256},
      {"nvdla-1024", kMachineNvdla1024},
      {"shidiannao-64", kMachineShidiannao64},
      {"tpu-v1", kMachineTpuV1},
      {"simba", kMachineSimba},
      {"gemmini", kMachineGemmini},
      {"edge-tpu-like", kMachineEdgeTpuLike},
      {"ascend-like", kMachineAscendLike},
      {"meta-prototype-like", kMachineMetaPrototypeLike},
      {"tpu-like", kMachineTpuLike},
      {"tesla-npu-like", kMachineTeslaNpuLike},
      {"timeloop-eyeriss256", kMachineTimeloopEyeriss256},
      {"timeloop-simba", kMachineTimeloopSimba},
      {"timeloop-flat256", kMachineTimeloopFlat256},
      {"nvdla", kMachineNvdla},
      {"eyeriss", kMachineEyeriss},
      {"shidiannao", kMachineShidiannao},
      {"xp_ws", kMachineXpWs},
  };
  return machines;
}

const std::vector<NamedAccelerator>& named_accelerators() {
  static const std::vector<NamedAccelerator> accelerators{
      {"nvdla-64",
       "nvdla:pe_rows=8,pe_columns=8,pe_buffer=128B,shared_buffer=128KiB,"
       "noc_bandwidth=32B/cycle,dram_bandwidth=8B/cycle,clock=1GHz",
       "NVDLA hardware repository (nvdla/hw), spec/defs/nv_small.spec: 8 kernels x 8 "
       "channels, convolution buffer 32 banks x 8 x 512 bytes, 64-bit memory interface; "
       "assumed: 128 bytes per PE (NVDLA keeps one weight per multiplier and sums in a "
       "separate accumulator), NoC four times as wide as DRAM, 1 GHz"},
      {"nvdla-256",
       "nvdla:pe_rows=8,pe_columns=32,pe_buffer=128B,shared_buffer=128KiB,"
       "noc_bandwidth=32B/cycle,dram_bandwidth=8B/cycle,clock=1GHz",
       "NVDLA hardware repository (nvdla/hw), spec/defs/nv_small_256.spec: 8 kernels x 32 "
       "channels, convolution buffer 32 banks x 32 x 128 bytes, 64-bit memory interface; "
       "assumed: 128 bytes per PE (NVDLA keeps one weight per multiplier and sums in a "
       "separate accumulator), NoC four times as wide as DRAM, 1 GHz"},
      {"nvdla-1024",
       "nvdla:pe_rows=16,pe_columns=64,pe_buffer=128B,shared_buffer=1024KiB,"
       "noc_bandwidth=128B/cycle,dram_bandwidth=32B/cycle,clock=1GHz",
       "NVDLA hardware repository (nvdla/hw), spec/defs/nv_medium_1024_full.spec: 16 "
       "kernels x 64 channels, convolution buffer 32 banks x 64 x 512 bytes; assumed: 32 "
       "bytes per cycle of DRAM; assumed: 128 bytes per PE (NVDLA keeps one weight per "
       "multiplier and sums in a separate accumulator), NoC four times as wide as DRAM, 1 "
       "GHz"},
      {"eyeriss-168",
       "eyeriss:pe_rows=12,pe_columns=14,pe_buffer=512B,shared_buffer=108KiB,"
       "noc_bandwidth=32B/cycle,dram_bandwidth=8B/cycle,clock=200MHz,precision=16",
       "Y.-H. Chen et al., Eyeriss, JSSC 52(1), 2017: 12 x 14 PEs, 108 KB global buffer, 16 "
       "bits, 200 MHz, about 0.5 KB of scratch pads per PE; assumed: bandwidths, one "
       "scratch pad in place of three"},
      {"shidiannao-64",
       "shidiannao:pe_rows=8,pe_columns=8,pe_buffer=512B,shared_buffer=288KiB,"
       "noc_bandwidth=64B/cycle,dram_bandwidth=16B/cycle,clock=1GHz,precision=16",
       "Z. Du et al., ShiDianNao, ISCA 2015: 8 x 8 PEs, 288 KB of SRAM in all, 16 bits, 1 "
       "GHz; assumed: PE buffer, bandwidths, one buffer in place of four"},
      {"xp-ws-64", "xp_ws:pe_rows=8,pe_columns=8,noc_bandwidth=64B/cycle,dram_bandwidth=16B/cycle",
       "the dataflow of xp-ws-256 at a quarter of the PEs; assumed: bandwidths, buffers, "
       "200 MHz"},
      {"xp-ws-256",
       "xp_ws:pe_rows=16,pe_columns=16,noc_bandwidth=1000B/cycle,dram_bandwidth=300B/cycle",
       "B. Lu et al., A semi-decoupled approach to fast and optimal hardware-software "
       "co-design, arXiv 2203.13921, accelerator 1: 256 PEs, 1000 and 300 elements per "
       "cycle; assumed: buffers, 200 MHz"},
  };
  return accelerators;
}

}  // namespace cosearch::accel
