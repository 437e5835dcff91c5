#include "accel/dataflow.h"

#include <algorithm>
#include <initializer_list>

#include "core/user_error.h"

namespace cosearch::accel {
namespace {

using enum Dimension;

/// Spreads loops over one side of the array in order of preference, each over as many PEs as keep
/// the number of steps least: 36 channels over 32 PEs take two steps with 18 PEs as well as
/// with 32.
class Side {
 public:
  Side(Extents& remaining, std::int64_t pes) : remaining_(remaining), free_(pes) {
    factors_.fill(1);
  }
  void spread(std::initializer_list<Dimension> dimensions) {
    for (const Dimension d : dimensions) {
      std::int64_t& left = remaining_[index_of(d)];
      const std::int64_t steps = ceil_div(left, free_);
      const std::int64_t factor = ceil_div(left, steps);
      factors_[index_of(d)] *= factor;
      left = steps;
      free_ /= factor;
    }
  }
  [[nodiscard]] const Extents& factors() const { return factors_; }

 private:
  Extents& remaining_;
  std::int64_t free_;
  Extents factors_{};
};

bool is_array(const std::vector<Fanout>& fanout) {
  return fanout.size() == 2 && fanout[0].axis == "rows" && fanout[1].axis == "columns";
}

}  // namespace

std::string_view name_of(Dataflow dataflow) {
  switch (dataflow) {
    case Dataflow::nvdla:
      return "nvdla";
    case Dataflow::eyeriss:
      return "eyeriss";
    case Dataflow::shidiannao:
      return "shidiannao";
    case Dataflow::xp_ws:
      return "xp_ws";
  }
  return "";
}

Dataflow dataflow_named(const std::string& name) {
  std::vector<std::string> known;
  for (const Dataflow dataflow : kDataflows) {
    if (name_of(dataflow) == name) return dataflow;
    known.emplace_back(name_of(dataflow));
  }
  throw UserError("no dataflow '" + name + "'" + did_you_mean(name, known));
}

std::vector<std::string> problems_of_template(const Machine& machine) {
  if (machine.levels.size() != 3)
    return {"a dataflow needs three levels, not " + std::to_string(machine.levels.size())};
  std::vector<std::string> problems;
  for (std::size_t i = 0; i < machine.levels.size(); ++i) {
    const StorageLevel& level = machine.levels[i];
    const auto say = [&](const std::string& problem) {
      problems.push_back("level '" + level.name + "': " + problem);
    };
    if (!(level.must_keep == TensorSet::all())) say("with a dataflow it keeps all tensors");
    if (std::ranges::any_of(level.partition_bits,
                            [](const auto& part) { return part.has_value(); }))
      say("with a dataflow it has no partitions");
    if (i == 0 && level.capacity_bits) say("with a dataflow its capacity is not limited");
    if (i == 1 && !is_array(level.fanout)) say("with a dataflow its fan-out is rows and columns");
    if (i != 1 && !level.fanout.empty())
      say("with a dataflow only the level in the middle has a fan-out");
  }
  return problems;
}

Unrolling unrolling_of(const Layer& layer, Dataflow dataflow, const Machine& machine) {
  const std::vector<Fanout>& array = machine.levels[1].fanout;
  Extents remaining = extents_of(layer);
  Side rows(remaining, array[0].size), columns(remaining, array[1].size);
  switch (dataflow) {
    case Dataflow::nvdla:
      rows.spread({K, G});
      columns.spread({C, G});
      if (layer.is_depthwise()) columns.spread({P});
      break;
    case Dataflow::eyeriss:
      rows.spread({R, C, G});
      columns.spread({P, K, G});
      break;
    case Dataflow::shidiannao:
      rows.spread({P, K, G});
      columns.spread({Q, K, G});
      break;
    case Dataflow::xp_ws: {
      const Dimension spread = layer.is_depthwise() ? G : layer.kind == LayerKind::gemm ? P : Q;
      columns.spread({spread});
      rows.spread({spread});
      break;
    }
  }
  return {rows.factors(), columns.factors()};
}

LoopOrder array_order_of(Dataflow dataflow) {
  if (dataflow == Dataflow::eyeriss) return {N, G, K, D, P, C, T, R, S, Q};
  if (dataflow == Dataflow::shidiannao) return {N, G, K, D, P, Q, C, T, R, S};
  return {G, K, C, T, R, S, N, D, P, Q};
}

std::vector<Dimension> growing_dimensions_of(Dataflow dataflow) {
  if (dataflow == Dataflow::eyeriss) return {Q, C, K};
  if (dataflow == Dataflow::shidiannao) return {C, K};
  return {Q, P, C, K};
}

}  // namespace cosearch::accel
