#include "accel/link_costs.h"

#include <algorithm>

#include "accel/axis_sum.h"

namespace cosearch::accel {
namespace {

constexpr std::size_t kInput = index_of(Tensor::input), kOutput = index_of(Tensor::output);

std::uint8_t tensor_not_moved_by(Dimension d, bool transposed) {
  for (const Tensor tensor : kTensors)
    if (!is_relevant(tensor, d, transposed)) return static_cast<std::uint8_t>(tensor);
  return OrderClass::kNoTensor;
}

std::size_t axis_of(Dimension d) {
  for (std::size_t a = 0; a < kAxes.size(); ++a)
    if (kAxes[a].position == d || kAxes[a].tap == d) return a;
  return kAxes.size();
}

double exact_sum(const WindowAxis& window, const AxisChain& positions, const AxisChain& taps) {
  return static_cast<double>(axis_sum(window, positions, taps));
}

AxisChain chain_of(std::int64_t extent, std::int64_t tile, PieceRole role) {
  AxisChain chain;
  chain.extent = extent;
  if (tile < extent) chain.add(tile, role);
  return chain;
}

}  // namespace

AxisTable::AxisTable(const MapSpace& space, const Axis& axis) {
  const auto& positions = space.divisors(axis.position).values;
  const auto& taps = space.divisors(axis.tap).values;
  const std::int64_t p_all = positions.back(), t_all = taps.back();
  const WindowAxis window = window_axis(space.layer(), axis.position);
  const bool boxes = space.accounting() == Accounting::timeloop;
  const auto box = [&](std::int64_t p, std::int64_t t) {
    return static_cast<double>((p - 1) * window.stride + (t - 1) * window.dilation + 1);
  };
  taps_ = taps.size();
  for (const std::int64_t p : positions)
    for (const std::int64_t t : taps) {
      if (boxes) {
        whole_.push_back(static_cast<double>((p_all / p) * (t_all / t)) * box(p, t));
        sliding_.push_back(std::min(whole_.back(), box(p_all, t_all)));
        continue;
      }
      const auto sum = [&](PieceRole over_positions, PieceRole over_taps) {
        return exact_sum(window, chain_of(p_all, p, over_positions), chain_of(t_all, t, over_taps));
      };
      whole_.push_back(sum(PieceRole::each, PieceRole::each));
      sliding_.push_back(
          std::min(sum(PieceRole::slide, PieceRole::each), sum(PieceRole::each, PieceRole::slide)));
    }
}

LinkCosts::LinkCosts(const MapSpace& space, const std::vector<AxisTable>& axes,
                     const std::vector<TensorSet>& keep, const SpatialChoice& spatial)
    : space_(space), axes_(axes), keep_(keep), spatial_(spatial) {
  const Machine& machine = space.machine();
  const std::size_t levels = machine.levels.size();
  instances_.fill(1);
  for (std::size_t g = 0; g < space.groups().size(); ++g)
    for (std::size_t i = space.groups()[g].level + 1; i <= levels; ++i)
      for (const Dimension d : space.dimensions())
        instances_[i] *= static_cast<double>(spatial.factors[g][index_of(d)]);
  for (const Dimension d : kAllDimensions)
    unmoved_[index_of(d)] = tensor_not_moved_by(d, space.layer().transposed);
  for (std::size_t i = 0; i < levels; ++i)
    if (keep[i].has(Tensor::output)) innermost_output_ = i;
  const auto macs = static_cast<double>(space.layer().macs());
  compute_cycles_ = macs / static_cast<double>(spatial.used);
  fixed_pj_ = macs * machine.compute.mac_energy_pj;
  for (const Tensor tensor : kTensors) add_links(tensor);
}

double LinkCosts::powered(std::size_t level) const {
  const std::int64_t cluster = space_.machine().levels[level].cluster;
  const double used = instances_[level];
  if (space_.accounting() == Accounting::timeloop) {
    const auto memories = static_cast<double>(space_.machine().instances(level) / cluster);
    return std::min(used, memories) / used;
  }
  if (cluster == 1) return 1;
  const auto whole = static_cast<double>(cluster);
  return static_cast<double>(ceil_div(static_cast<std::int64_t>(used), cluster)) * whole / used;
}

void LinkCosts::add_links(Tensor tensor) {
  const bool transposed = space_.layer().transposed;
  const bool windowed = tensor == windowed_tensor(transposed);
  Link link;
  link.tensor = tensor;
  link.joined.fill(1);
  for (const Dimension d : space_.dimensions())
    if (is_relevant(tensor, d, transposed) && !(windowed && is_window_dimension(d)))
      link.elements *= static_cast<double>(space_.extents()[index_of(d)]);
  if (tensor == Tensor::output) {
    outputs_ = link.elements;
    if (windowed)
      for (const AxisTable& axis : axes_) outputs_ *= axis.least();
  }
  const auto groups = space_.groups();
  const std::size_t levels = space_.machine().levels.size();
  for (std::size_t lower = 1; lower <= levels; ++lower) {
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (groups[g].level + 1 != lower) continue;
      // Timeloop knows no fan-out that cannot share.
      const bool shares = space_.accounting() == Accounting::timeloop ||
                          (tensor == Tensor::output ? groups[g].reduction : groups[g].multicast);
      for (const Dimension d : space_.dimensions()) {
        const std::int64_t factor = spatial_.factors[g][index_of(d)];
        if (factor == 1) continue;
        if (!is_relevant(tensor, d, transposed)) {
          (shares ? link.shared : link.alone) *= static_cast<double>(factor);
        } else if (windowed && is_window_dimension(d)) {
          link.may_slide[axis_of(d)] = false;
          if (!shares) continue;
          link.joined[index_of(d)] *= factor;
        }
      }
    }
    if (lower < levels && !keep_[lower].has(tensor)) {
      // Loops of a level in between may come between pieces that would be neighbours.
      for (std::size_t a = 0; a < kAxes.size(); ++a)
        for (const Dimension d : {kAxes[a].position, kAxes[a].tap})
          if (space_.temporal(lower)[index_of(d)].most > 1) link.joint[a] = false;
      continue;
    }
    link.lower = lower;
    tensor == Tensor::output ? price_output(link) : price_operand(link);
    if (lower == levels)
      add_multipliers(link);
    else
      links_.push_back(link);
    link.upper = lower;
    link.copies_above *= link.shared * link.alone;
    link.shared = link.alone = 1;
    link.may_slide = link.joint = {true, true, true};
    link.joined.fill(1);
  }
}

void LinkCosts::price_operand(Link& link) const {
  const Machine& machine = space_.machine();
  const StorageLevel& upper = machine.levels[link.upper];
  const bool timeloop = space_.accounting() == Accounting::timeloop;
  const auto words = [&](const StorageLevel& level) {
    return timeloop
               ? 1.0
               : static_cast<double>(ceil_div(space_.layer().bits(link.tensor), level.word_bits));
  };
  const double bits = words(upper) * static_cast<double>(upper.word_bits);
  link.per_content_pj = words(upper) * upper.read_energy_pj /
                        static_cast<double>(upper.block_words) * powered(link.upper);
  link.per_entry_pj = 0;
  if (link.lower < machine.levels.size()) {
    const StorageLevel& lower = machine.levels[link.lower];
    link.per_entry_pj = words(lower) * (timeloop ? lower.read_energy_pj : lower.write_energy_pj) /
                        static_cast<double>(lower.block_words) * powered(link.lower);
  }
  if (timeloop) return;
  link.per_content_pj += bits * (upper.network_energy_pj - upper.hop_energy_pj);
  link.per_entry_pj += bits * upper.hop_energy_pj;
  for (std::size_t i = link.upper + 1; i < link.lower; ++i)
    link.per_entry_pj += bits * machine.levels[i].network_energy_pj;
  // A bound needs both to grow with what is moved; entries are never fewer than contents.
  if (link.per_content_pj < 0) {
    link.per_entry_pj = std::max(0.0, link.per_entry_pj + link.per_content_pj);
    link.per_content_pj = 0;
  }
}

void LinkCosts::price_output(Link& link) const {
  const Machine& machine = space_.machine();
  const StorageLevel& upper = machine.levels[link.upper];
  const bool timeloop = space_.accounting() == Accounting::timeloop;
  const auto width = [&](const StorageLevel& level, bool partial) {
    const std::int64_t bits =
        partial ? space_.layer().partial_sum_bits : space_.layer().output_bits;
    return timeloop ? 1.0 : static_cast<double>(ceil_div(bits, level.word_bits));
  };
  const auto per_word = [&](std::size_t i, double pj) {
    return pj / static_cast<double>(machine.levels[i].block_words) * powered(i);
  };
  const double read = per_word(link.upper, upper.read_energy_pj);
  const double write =
      per_word(link.upper, timeloop ? upper.read_energy_pj : upper.write_energy_pj);
  const bool innermost = link.upper == innermost_output_;
  for (const bool partial : {false, true}) {
    const double words = width(upper, partial || (innermost && link.upper != 0));
    const double network =
        timeloop ? 0 : words * static_cast<double>(upper.word_bits) * upper.network_energy_pj;
    // Inside the chip every value that arrives is read once more: to go on or to be summed.
    link.per_update_pj[partial] = link.upper == 0 ? network : words * (write + read) + network;
    link.per_return_pj[partial] =
        link.upper == 0 ? width(upper, true) * (write + read) + network : network;
  }
  link.finished_pj = link.upper == 0 ? width(upper, false) * write : 0;
  if (link.lower < machine.levels.size()) {
    const StorageLevel& lower = machine.levels[link.lower];
    const double words = width(lower, link.lower == innermost_output_);
    const double read_below = timeloop ? 0 : per_word(link.lower, lower.read_energy_pj);
    const double write_below =
        per_word(link.lower, timeloop ? lower.read_energy_pj : lower.write_energy_pj);
    link.per_return_below_pj = words * (read_below + write_below);
  }
  link.per_addition_pj = timeloop ? 0 : machine.compute.add_energy_pj;
  // Timeloop reads nothing at the first visit, but sends partial sums back to every child.
  if (!timeloop) return;
  if (link.upper > 0) link.first_visits_pj = outputs_ * link.copies_above * read;
  if (link.alone == 1) link.per_return_below_pj *= link.shared;
}

void LinkCosts::add_multipliers(const Link& link) {
  const auto macs = static_cast<double>(space_.layer().macs());
  Amounts amounts;
  amounts.entries = macs;
  amounts.content = macs / link.shared;
  if (link.tensor == windowed_tensor(space_.layer().transposed))
    for (std::size_t a = 0; a < kAxes.size(); ++a) {
      // Positions at one time are at least as many as either loop has by itself.
      const auto p = static_cast<double>(link.joined[index_of(kAxes[a].position)]);
      const auto t = static_cast<double>(link.joined[index_of(kAxes[a].tap)]);
      amounts.content *= std::max(p, t) / (p * t);
    }
  if (link.tensor != Tensor::output) {
    fixed_pj_ += energy(link, amounts);
    return;
  }
  // A transposed layer drops what falls outside its output.
  if (space_.layer().transposed) return;
  if (link.upper == 0)
    amounts.returns = std::max(0.0, amounts.content - outputs_ * link.copies_above);
  fixed_pj_ += energy(link, amounts);
}

double LinkCosts::energy(const Link& link, const Amounts& a) const {
  if (link.tensor != Tensor::output)
    return a.content * link.per_content_pj + a.entries * link.per_entry_pj;
  const std::size_t partial = a.returns > 0 ? 1 : 0;
  const double finished = link.upper == 0 ? outputs_ * link.finished_pj : 0;
  return finished - link.first_visits_pj + a.content * link.per_update_pj[partial] +
         a.returns * (link.per_return_pj[partial] + link.per_return_below_pj) +
         (a.entries - a.content) * link.per_addition_pj;
}

double LinkCosts::window(const Link& link, const Extents& tile, bool joined, bool any_slide,
                         Dimension slide) const {
  std::array<double, 3> whole{}, sliding{};
  double product = 1, best_gain = 1;
  for (std::size_t a = 0; a < kAxes.size(); ++a) {
    const Dimension p = kAxes[a].position, t = kAxes[a].tap;
    if (axes_[a].least() == 1 && space_.extents()[index_of(p)] == 1) {
      whole[a] = sliding[a] = 1;
      continue;
    }
    std::int64_t positions = tile[index_of(p)], taps = tile[index_of(t)];
    const bool joins = joined && link.joined[index_of(p)] * link.joined[index_of(t)] > 1;
    if (joins && !link.joint[a]) {
      whole[a] = sliding[a] = axes_[a].least();
    } else {
      if (joins) positions *= link.joined[index_of(p)], taps *= link.joined[index_of(t)];
      const std::size_t i = space_.divisors(p).index(positions);
      const std::size_t j = space_.divisors(t).index(taps);
      whole[a] = axes_[a].whole(i, j);
      sliding[a] = axes_[a].sliding(i, j);
    }
    product *= whole[a];
    const bool slides = link.may_slide[a] && (any_slide || axis_of(slide) == a);
    if (slides) best_gain = std::min(best_gain, sliding[a] / whole[a]);
  }
  return product * best_gain;
}

LinkCosts::Amounts LinkCosts::amounts(const Link& link, double visits, const Extents* tile,
                                      bool any_slide, Dimension slide) const {
  const double elements = link.elements * visits * link.copies_above * link.alone;
  Amounts amounts;
  amounts.content = elements;
  amounts.entries = elements * link.shared;
  if (link.tensor == windowed_tensor(space_.layer().transposed)) {
    if (tile == nullptr) {
      double distinct = 1;
      for (const AxisTable& axis : axes_) distinct *= axis.least();
      amounts.content *= distinct;
      amounts.entries *= distinct;
    } else {
      const bool joins = space_.accounting() == Accounting::exact;
      const double entries = window(link, *tile, false, any_slide, slide);
      double content = entries;
      if (joins) {
        content = window(link, *tile, true, any_slide, slide);
      } else {
        // Children with the same tile share a read: at least as many groups as either loop makes.
        for (std::size_t a = 0; a < kAxes.size(); ++a) {
          const auto p = static_cast<double>(link.joined[index_of(kAxes[a].position)]);
          const auto t = static_cast<double>(link.joined[index_of(kAxes[a].tap)]);
          content *= std::max(p, t) / (p * t);
        }
      }
      amounts.content *= content;
      amounts.entries *= entries;
    }
  }
  if (link.tensor == Tensor::output) {
    const bool timeloop = space_.accounting() == Accounting::timeloop;
    if (timeloop || link.copies_above == 1)
      amounts.returns = std::max(0.0, amounts.content - outputs_ * link.copies_above);
  }
  return amounts;
}

double LinkCosts::cheapest(const std::array<double, 3>& visits, std::size_t level,
                           const Extents* tile) const {
  double all = 0, best_gain = 0;
  for (const Link& link : links_) {
    if (link.lower != level) continue;
    const double times = visits[index_of(link.tensor)];
    const double moving = energy(link, amounts(link, times, tile, true, Dimension::N));
    all += moving;
    if (times > 1) {
      const double still = energy(link, amounts(link, 1, tile, true, Dimension::N));
      best_gain = std::max(best_gain, moving - still);
    }
  }
  return all - best_gain;
}

double LinkCosts::at_least(std::size_t level, const Extents& tile, const Extents& above) const {
  std::array<double, 4> visits{1, 1, 1, 1};
  for (const Dimension d : space_.dimensions())
    visits[unmoved_[index_of(d)]] *= static_cast<double>(above[index_of(d)]);
  return cheapest({visits[0], visits[1], visits[2]}, level, &tile);
}

double LinkCosts::at_least(std::size_t level, const Extents& above) const {
  std::array<double, 4> visits{1, 1, 1, 1};
  for (const Dimension d : space_.dimensions())
    visits[unmoved_[index_of(d)]] *= static_cast<double>(above[index_of(d)]);
  return cheapest({visits[0], visits[1], visits[2]}, level, nullptr);
}

LinkCosts::Bound LinkCosts::of_mapping(const std::vector<Extents>& temporal,
                                       const std::vector<Extents>& tile,
                                       const std::vector<OrderClass>& orders) const {
  // Products of each level's loops that do not move a tensor, and of all levels further out.
  std::array<std::array<double, 4>, kMostLevels> unmoved{}, further_out{};
  std::array<double, kMostLevels> all{};
  std::array<double, 4> outside{1, 1, 1, 1};
  for (std::size_t i = 0; i < temporal.size(); ++i) {
    unmoved[i] = {1, 1, 1, 1};
    all[i] = 1;
    for (const Dimension d : space_.dimensions()) {
      const auto factor = static_cast<double>(temporal[i][index_of(d)]);
      unmoved[i][unmoved_[index_of(d)]] *= factor;
      all[i] *= factor;
    }
    further_out[i] = outside;
    for (std::size_t t = 0; t < 4; ++t) outside[t] *= unmoved[i][t];
  }
  Bound bound{fixed_pj_, compute_cycles_};
  const Machine& machine = space_.machine();
  std::array<double, kMostLevels> read{}, write{};
  for (const Link& link : links_) {
    const std::size_t t = index_of(link.tensor);
    double visits = 1;
    Dimension slide = Dimension::N;
    for (std::size_t i = link.lower; i-- > 0;) {
      if (all[i] == 1) continue;
      if (orders[i].stationary == t && unmoved[i][t] == all[i]) continue;
      visits =
          further_out[i][t] * (orders[i].stationary == t ? orders[i].outside_run : unmoved[i][t]);
      slide = orders[i].slide;
      break;
    }
    const Amounts a = amounts(link, visits, &tile[link.lower], false, slide);
    bound.energy_pj += energy(link, a);
    read[link.upper] += link.tensor == Tensor::output ? a.returns : a.content;
    write[link.upper] += link.tensor == Tensor::output ? a.content : 0;
    write[link.lower] += link.tensor == Tensor::output ? a.returns : a.entries;
  }
  for (std::size_t i = 0; i < machine.levels.size(); ++i) {
    // Words are at least as many as values.
    const StorageLevel& level = machine.levels[i];
    bound.cycles = std::max({bound.cycles, read[i] / instances_[i] / level.read_bandwidth,
                             write[i] / instances_[i] / level.write_bandwidth,
                             (read[i] + write[i]) / instances_[i] / level.shared_bandwidth});
  }
  return bound;
}

}  // namespace cosearch::accel
