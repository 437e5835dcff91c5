#include "accel/loop_orders.h"

#include <algorithm>
#include <cassert>

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
  OrderBuilder(const MapSpace& space, const LinkCosts& costs, std::size_t level,
               const Extents& temporal, std::vector<LoopOrderChoice>& orders)
      : transposed_(space.layer().transposed),
        boxes_(space.accounting() == Accounting::timeloop),
        visits_may_pay_(costs.visits_may_pay()),
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

  /// A loop that moves every tensor is better further out.
  [[nodiscard]] bool is_dominated(Dimension d) const {
    return !visits_may_pay_ && unmoved(d) == OrderClass::kNoTensor &&
           std::any_of(free_.begin(), free_.end(),
                       [&](Dimension other) { return unmoved(other) != OrderClass::kNoTensor; });
  }

  void put(Dimension d) { order_.innermost_first[order_.count++] = d; }
  [[nodiscard]] bool has(Dimension d) const {
    const auto end = order_.innermost_first.begin() + static_cast<std::ptrdiff_t>(order_.count);
    return std::find(order_.innermost_first.begin(), end, d) != end;
  }

  /// Adds the free loops to the innermost ones given.
  void complete() {
    const std::size_t count = order_.count;
    complete_run();
    // Timeloop sees tiles slide on where the other loop of the same axis is next.
    if (boxes_ && put_other_of_axis()) complete_run();
    order_.count = count;
  }

  /// All loops that leave in place what the innermost one does follow next, then the rest.
  void complete_run() {
    const std::uint8_t stays = unmoved(order_.innermost_first[0]);
    bool run_goes_on = stays != OrderClass::kNoTensor;
    for (std::size_t i = 0; i < order_.count; ++i)
      run_goes_on = run_goes_on && unmoved(order_.innermost_first[i]) == stays;
    std::vector<Dimension> run;
    for (const Dimension d : free_)
      if (run_goes_on && !has(d) && unmoved(d) == stays) run.push_back(d);
    const std::size_t count = order_.count;
    if (visits_may_pay_ && stays == static_cast<std::uint8_t>(Tensor::output))
      cut_short(run, stays);
    for (const Dimension d : run) put(d);
    if (run_goes_on && stays == window_) {
      choose_slide();
    } else {
      put_rest();
      add();
    }
    order_.count = count;
  }

  /// Only some loops of a run follow next: more visits to the level further out.
  void cut_short(const std::vector<Dimension>& run, std::uint8_t stays) {
    const auto other = std::find_if(free_.begin(), free_.end(),
                                    [&](Dimension d) { return !has(d) && unmoved(d) != stays; });
    if (other == free_.end()) return;
    const std::size_t count = order_.count;
    for (std::size_t some = 0; some + 1 < std::size_t{1} << run.size(); ++some) {
      for (std::size_t i = 0; i < run.size(); ++i)
        if ((some >> i & 1) != 0) put(run[i]);
      put(*other);
      put_rest();
      add();
      order_.count = count;
    }
  }

  void choose_slide() {
    const std::size_t count = order_.count;
    bool any = false;
    for (const Dimension d : free_) {
      if (has(d)) continue;
      any = true;
      put(d);
      const std::size_t with_slide = order_.count;
      put_rest();
      add();
      order_.count = with_slide;
      if (boxes_ && put_other_of_axis()) {
        put_rest();
        add();
      }
      order_.count = count;
    }
    if (!any) add();
  }

  /// False where the loops given do not end in the first of a window that has another loop.
  bool put_other_of_axis() {
    std::size_t moving = 0;
    Dimension last = Dimension::N;
    for (std::size_t i = 0; i < order_.count; ++i)
      if (unmoved(order_.innermost_first[i]) != window_) {
        ++moving;
        last = order_.innermost_first[i];
      }
    if (moving != 1) return false;
    const Dimension other = other_of_axis(last);
    if (other == last || has(other) || std::find(free_.begin(), free_.end(), other) == free_.end())
      return false;
    put(other);
    return true;
  }

  void put_rest() {
    for (const Dimension d : free_)
      if (!has(d)) put(d);
  }

  void add() {
    order_.order_class = order_class(order_, temporal_, transposed_);
    orders_.push_back(order_);
  }

  bool transposed_, boxes_, visits_may_pay_;
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
  bool in_run = true;
  std::size_t moving = 0;
  for (std::size_t i = 0; i < order.count; ++i) {
    const Dimension d = order.innermost_first[i];
    const bool stays = unmoved(d, transposed) == result.stationary;
    in_run = in_run && stays;
    if (!in_run && stays) result.outside_run *= static_cast<double>(temporal[index_of(d)]);
    if (unmoved(d, transposed) == window) continue;
    if (moving == 0) result.slide = d;
    if (moving == 1 && other_of_axis(result.slide) == d &&
        order.innermost_first[i - 1] == result.slide)
      result.slides_on = d;
    ++moving;
  }
  return result;
}

void loop_orders(const MapSpace& space, const LinkCosts& costs, std::size_t level,
                 const Extents& temporal, std::vector<LoopOrderChoice>& orders) {
  OrderBuilder(space, costs, level, temporal, orders).run();
}

void distinct_orders(const MapSpace& space, const LinkCosts& costs, const LinkCosts::Tiling& tiling,
                     std::size_t level, std::vector<LoopOrderChoice>& orders) {
  loop_orders(space, costs, level, tiling.temporal[level], orders);
  assert(orders.size() <= kMostOrders);
  std::array<LinkCosts::OrderEffect, kMostOrders> effects;
  std::size_t kept = 0;
  for (const LoopOrderChoice& order : orders) {
    const LinkCosts::OrderEffect effect = costs.effect_of(level, order.order_class, tiling);
    const auto end = effects.begin() + static_cast<std::ptrdiff_t>(kept);
    if (std::any_of(effects.begin(), end,
                    [&](const LinkCosts::OrderEffect& other) { return other.at_most(effect); }))
      continue;
    effects[kept] = effect;
    orders[kept++] = order;
  }
  orders.resize(kept);
}

}  // namespace cosearch::accel
