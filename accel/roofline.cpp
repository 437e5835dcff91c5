#include "accel/roofline.h"

#include <algorithm>
#include <utility>

#include "accel/word_counts.h"

namespace cosearch::accel {
namespace {

Bound bound_of(const Machine& machine, const NestLatency& latency) {
  Bound bound{Bound::Kind::compute, "compute", latency.compute};
  const auto consider = [&](Bound::Kind kind, const std::string& name, double cycles) {
    if (cycles > bound.cycles) bound = {kind, name, cycles};
  };
  for (std::size_t i = 0; i < machine.levels.size(); ++i) {
    const PortTimes& times = latency.ports[i];
    for (const auto& [port, cycles] : {std::pair{"read port", times.read},
                                       {"write port", times.write},
                                       {"port", times.shared},
                                       {"network", times.network}})
      consider(Bound::Kind::port, machine.levels[i].name + " " + port, cycles);
  }
  consider(Bound::Kind::fill_and_drain, "fill and drain", latency.fill + latency.drain);
  consider(Bound::Kind::waits, "waits for single buffers", latency.waits);
  return bound;
}

std::int64_t bits_at_outermost(const Layer& layer, const Machine& machine, const LoopNest& nest,
                               const AccessCounts& counts, Accounting accounting) {
  const ValueWidths widths(layer, machine, nest, counts, accounting);
  std::int64_t words = 0;
  for (const Tensor tensor : kTensors) {
    const WordCounts moved = widths.words(0, tensor, counts.levels[0][index_of(tensor)]);
    words += moved.reads + moved.writes;
  }
  return words * machine.levels[0].word_bits;
}

}  // namespace

Roofline roofline_of(const Layer& layer, const Machine& machine, const LoopNest& nest,
                     const NestCost& cost, std::int64_t operations, Accounting accounting) {
  constexpr double bits_per_byte = 8;
  const auto work = static_cast<double>(operations);
  Roofline roofline;
  roofline.outermost_bits = bits_at_outermost(layer, machine, nest, cost.counts, accounting);
  roofline.intensity = work * bits_per_byte / static_cast<double>(roofline.outermost_bits);
  roofline.peak = static_cast<double>(machine.multipliers());
  roofline.attained = work / static_cast<double>(cost.cycles().value);
  const double outermost = cost.latency.ports[0].longest();
  roofline.roof = outermost > 0 ? std::min(roofline.peak, work / outermost) : roofline.peak;
  roofline.bound = bound_of(machine, cost.latency);
  return roofline;
}

}  // namespace cosearch::accel
