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

}  // namespace cosearch::accel
