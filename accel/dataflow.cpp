#include "accel/dataflow.h"

#include <cassert>
#include <initializer_list>

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

}  // namespace

Unrolling unrolling_of(const Layer& layer, const Accelerator& accelerator) {
  const AcceleratorParameters& p = accelerator.parameters;
  Extents remaining = extents_of(layer);
  Side rows(remaining, p.pe_rows), columns(remaining, p.pe_columns);
  if (p.template_name == "nvdla") {
    rows.spread({K, G});
    columns.spread({C, G});
    if (layer.is_depthwise()) columns.spread({P});
  } else if (p.template_name == "eyeriss") {
    rows.spread({R, C, G});
    columns.spread({P, K, G});
  } else if (p.template_name == "shidiannao") {
    rows.spread({P, K, G});
    columns.spread({Q, K, G});
  } else {
    assert(p.template_name == "xp_ws" && "make_accelerator admits no other template");
    const Dimension spread = layer.is_depthwise() ? G : layer.kind == LayerKind::gemm ? P : Q;
    columns.spread({spread});
    rows.spread({spread});
  }
  return {rows.factors(), columns.factors()};
}

LoopOrder array_order_of(const Accelerator& accelerator) {
  const std::string& name = accelerator.parameters.template_name;
  if (name == "eyeriss") return {N, G, K, D, P, C, T, R, S, Q};
  if (name == "shidiannao") return {N, G, K, D, P, Q, C, T, R, S};
  return {G, K, C, T, R, S, N, D, P, Q};
}

std::vector<Dimension> growing_dimensions_of(const Accelerator& accelerator) {
  const std::string& name = accelerator.parameters.template_name;
  if (name == "eyeriss") return {Q, C, K};
  if (name == "shidiannao") return {C, K};
  return {Q, P, C, K};
}

}  // namespace cosearch::accel
