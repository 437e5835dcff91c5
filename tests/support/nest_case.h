// A layer, a machine and a nest, as one value that a failing test can print.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "accel/access_counts.h"
#include "accel/dimension.h"
#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "core/layer.h"

namespace cosearch::accel {

inline std::ostream& operator<<(std::ostream& out, const LevelAccesses& a) {
  return out << "reads " << a.reads << " fills " << a.fills << " updates " << a.updates
             << " drains " << a.drains;
}
inline std::ostream& operator<<(std::ostream& out, const LinkTraffic& a) {
  return out << "down " << a.down << " copies " << a.down_copies << " up " << a.up << " copies "
             << a.up_copies;
}

namespace test {

struct NestCase {
  Layer layer;
  Machine machine;
  LoopNest nest;
};

inline std::string text_of(TensorSet tensors) {
  std::string text;
  for (const Tensor tensor : kTensors)
    if (tensors.has(tensor)) text += (text.empty() ? "" : ", ") + std::string(name_of(tensor));
  return text.empty() ? "nothing" : text;
}

/// Extents above 1, then per axis what is not as usual.
inline std::string text_of(const Layer& layer) {
  std::ostringstream text;
  text << (layer.transposed ? "transposed " : "") << name_of(layer.kind) << ":";
  const Extents extents = extents_of(layer);
  for (const Dimension d : kAllDimensions)
    if (extents[index_of(d)] > 1) text << " " << name_of(d) << " " << extents[index_of(d)];
  const auto axis = [&](const char* name, std::int64_t input, std::int64_t output,
                        std::int64_t stride, std::int64_t dilation, std::int64_t before,
                        std::int64_t after) {
    text << "\n  " << name << ": input " << input << " output " << output << " stride " << stride
         << " dilation " << dilation << " padding " << before << " " << after;
  };
  axis("depth ", layer.input_d, layer.D, layer.stride_d, layer.dilation_d, layer.pad_front,
       layer.pad_back);
  axis("height", layer.input_h, layer.P, layer.stride_h, layer.dilation_h, layer.pad_top,
       layer.pad_bottom);
  axis("width ", layer.input_w, layer.Q, layer.stride_w, layer.dilation_w, layer.pad_left,
       layer.pad_right);
  return text.str();
}

inline std::string text_of(const Fanout& axis) {
  return axis.axis + " " + std::to_string(axis.size) + (axis.multicast ? "" : " no multicast") +
         (axis.reduction ? "" : " no reduction");
}

inline std::string text_of(const Loop& loop, const std::vector<Fanout>& fanout) {
  const std::string where =
      loop.is_spatial() ? " over " + fanout[static_cast<std::size_t>(loop.axis)].axis : "";
  return "for " + std::string(name_of(loop.dimension)) + " by " + std::to_string(loop.tile) + where;
}

inline std::ostream& operator<<(std::ostream& out, const NestCase& test) {
  out << text_of(test.layer);
  for (std::size_t i = 0; i < test.nest.levels.size(); ++i) {
    const StorageLevel& level = test.machine.levels[i];
    out << "\nlevel " << i << " keeps " << text_of(test.nest.levels[i].keep) << "; fan-out";
    for (const Fanout& axis : level.fanout) out << " [" << text_of(axis) << "]";
    for (const Loop& loop : test.nest.levels[i].loops) out << "\n  " << text_of(loop, level.fanout);
  }
  return out;
}

/// One line for each field in which two counts differ; empty when they are equal.
inline std::vector<std::string> differences(const AccessCounts& expected,
                                            const AccessCounts& actual) {
  std::vector<std::string> lines;
  const auto compare = [&](const std::string& field, std::int64_t a, std::int64_t b) {
    if (a != b)
      lines.push_back(field + ": expected " + std::to_string(a) + ", is " + std::to_string(b));
  };
  const auto accesses = [&](const std::string& at, const LevelAccesses& a, const LevelAccesses& b) {
    compare(at + "reads", a.reads, b.reads);
    compare(at + "fills", a.fills, b.fills);
    compare(at + "updates", a.updates, b.updates);
    compare(at + "drains", a.drains, b.drains);
  };
  for (std::size_t level = 0; level < kMostLevels; ++level)
    for (const Tensor tensor : kTensors) {
      const std::size_t t = index_of(tensor);
      const std::string at =
          "[" + std::to_string(level) + "][" + std::string(name_of(tensor)) + "].";
      accesses("levels" + at, expected.levels[level][t], actual.levels[level][t]);
      accesses("busiest" + at, expected.busiest[level][t], actual.busiest[level][t]);
      const LinkTraffic &a = expected.links[level][t], &b = actual.links[level][t];
      compare("links" + at + "down", a.down, b.down);
      compare("links" + at + "down_copies", a.down_copies, b.down_copies);
      compare("links" + at + "up", a.up, b.up);
      compare("links" + at + "up_copies", a.up_copies, b.up_copies);
    }
  for (std::size_t level = 0; level <= kMostLevels; ++level)
    compare("instances[" + std::to_string(level) + "]", expected.instances[level],
            actual.instances[level]);
  compare("macs", expected.macs, actual.macs);
  compare("compute_cycles", expected.compute_cycles, actual.compute_cycles);
  return lines;
}

/// The differences as one text, for a message.
inline std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "\n  " + line;
  return text;
}

}  // namespace test
}  // namespace cosearch::accel
