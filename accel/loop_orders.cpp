#include "accel/loop_orders.h"

#include <algorithm>

namespace cosearch::accel {
namespace {

/// The tensor that loops over `d` do not move.
std::uint8_t unmoved(Dimension d, bool transposed) {
  for (const Tensor tensor : kTensors)
    if (!is_relevant(tensor, d, transposed)) return static_cast<std::uint8_t>(tensor);
  return OrderClass::kNoTensor;
}

class OrderBuilder {
 public:
  OrderBuilder(const MapSpace& space, std::size_t level, const Extents& temporal,
               std::vector<LoopOrderChoice>& orders)
      : transposed_(space.layer().transposed),
        window_(static_cast<std::uint8_t>(windowed_tensor(transposed_))),
        temporal_(temporal),
        orders_(orders) {
    // Constraints may name dimensions that the layer does not have; no factor is set for them.
    for (const Dimension d : space.innermost(level))
      if (space.extents()[index_of(d)] > 1 && temporal[index_of(d)] > 1) fixed_.push_back(d);
    for (const Dimension d : space.dimensions())
      if (temporal[index_of(d)] > 1 && std::find(fixed_.begin(), fixed_.end(), d) == fixed_.end())
        free_.push_back(d);
  }

  void run() {
    orders_.clear();
    if (!fixed_.empty()) {
      for (const Dimension d : fixed_) put(d);
      complete();
    } else if (free_.empty()) {
      add();
    } else {
      for (const Dimension d : free_) {
        if (is_dominated(d)) continue;
        put(d);
        complete();
        order_.count = 0;
      }
    }
  }

 private:
  [[nodiscard]] std::uint8_t unmoved(Dimension d) const { return accel::unmoved(d, transposed_); }

  /// A loop that moves every tensor is better further out; one of several that leave the windowed
  /// tensor in place stands for all.
  [[nodiscard]] bool is_dominated(Dimension d) const {
    const std::uint8_t tensor = unmoved(d);
    for (const Dimension other : free_) {
      if (other == d) continue;
      if (tensor == OrderClass::kNoTensor && unmoved(other) != OrderClass::kNoTensor) return true;
      if (tensor == window_ && unmoved(other) == window_ && index_of(other) < index_of(d))
        return true;
    }
    return false;
  }

  void put(Dimension d) { order_.innermost_first[order_.count++] = d; }
  [[nodiscard]] bool has(Dimension d) const {
    const auto end = order_.innermost_first.begin() + static_cast<std::ptrdiff_t>(order_.count);
    return std::find(order_.innermost_first.begin(), end, d) != end;
  }

  /// Adds the free loops to the innermost ones given.
  void complete() {
    const std::uint8_t stays = unmoved(order_.innermost_first[0]);
    bool run_goes_on = stays != OrderClass::kNoTensor;
    for (std::size_t i = 0; i < order_.count; ++i)
      run_goes_on = run_goes_on && unmoved(order_.innermost_first[i]) == stays;
    const std::size_t count = order_.count;
    if (run_goes_on)
      for (const Dimension d : free_)
        if (!has(d) && unmoved(d) == stays) put(d);
    if (run_goes_on && stays == window_) {
      choose_slide();
    } else {
      put_rest();
      add();
    }
    order_.count = count;
  }

  void choose_slide() {
    const std::size_t count = order_.count;
    bool any = false;
    for (const Dimension d : free_) {
      if (has(d)) continue;
      any = true;
      put(d);
      put_rest();
      add();
      order_.count = count;
    }
    if (!any) add();
  }

  void put_rest() {
    for (const Dimension d : free_)
      if (!has(d)) put(d);
  }

  void add() {
    order_.order_class = order_class(order_, temporal_, transposed_);
    orders_.push_back(order_);
  }

  bool transposed_;
  std::uint8_t window_;
  const Extents& temporal_;
  std::vector<LoopOrderChoice>& orders_;
  std::vector<Dimension> fixed_, free_;
  LoopOrderChoice order_;
};

}  // namespace

OrderClass order_class(const LoopOrderChoice& order, const Extents& temporal, bool transposed) {
  OrderClass result;
  const auto window = static_cast<std::uint8_t>(windowed_tensor(transposed));
  if (order.count > 0) {
    result.innermost = order.innermost_first[0];
    result.stationary = unmoved(result.innermost, transposed);
  }
  bool in_run = true, slide_known = false;
  for (std::size_t i = 0; i < order.count; ++i) {
    const Dimension d = order.innermost_first[i];
    const bool stays = unmoved(d, transposed) == result.stationary;
    in_run = in_run && stays;
    if (!in_run && stays) result.outside_run *= static_cast<double>(temporal[index_of(d)]);
    if (!slide_known && unmoved(d, transposed) != window) {
      slide_known = true;
      result.slide = d;
    }
  }
  return result;
}

void loop_orders(const MapSpace& space, std::size_t level, const Extents& temporal,
                 std::vector<LoopOrderChoice>& orders) {
  OrderBuilder(space, level, temporal, orders).run();
}

}  // namespace cosearch::accel
