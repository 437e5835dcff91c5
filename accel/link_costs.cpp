#include "accel/link_costs.h"

#include <algorithm>
#include <limits>

#include "accel/axis_sum.h"

namespace cosearch::accel {
namespace {

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

AxisChain chain_of(std::int64_t extent, std::int64_t tile, PieceRole role) {
  AxisChain chain;
  chain.extent = extent;
  if (tile < extent) chain.add(tile, role);
  return chain;
}

/// Words in all of boxes of length `box`, which begin at every i * p_step + j * t_step.
std::int64_t boxes_together(std::int64_t p_count, std::int64_t p_step, std::int64_t t_count,
                            std::int64_t t_step, std::int64_t box) {
  std::vector<std::int64_t> begins;
  for (std::int64_t i = 0; i < p_count; ++i)
    for (std::int64_t j = 0; j < t_count; ++j) begins.push_back(i * p_step + j * t_step);
  std::sort(begins.begin(), begins.end());
  std::int64_t words = box;
  for (std::size_t i = 1; i < begins.size(); ++i) words += std::min(box, begins[i] - begins[i - 1]);
  return words;
}

}  // namespace

AxisTable::AxisTable(const MapSpace& space, std::size_t a) {
  const Axis& axis = kAxes[a];
  const auto lengths = [&](Dimension d) {
    std::vector<std::int64_t> lengths;
    for (std::size_t i = 0; i < space.divisors(d).values.size(); ++i)
      lengths.push_back(space.length(d, i));
    return lengths;
  };
  const std::vector<std::int64_t> positions = lengths(axis.position), taps = lengths(axis.tap);
  const std::int64_t p_all = positions.back(), t_all = taps.back();
  const WindowAxis window = window_axes(space.layer())[a];
  const bool boxes = space.accounting() == Accounting::timeloop;
  const auto box = [&](std::int64_t p, std::int64_t t) {
    return (p - 1) * window.stride + (t - 1) * window.dilation + 1;
  };
  taps_ = taps.size();
  for (const std::int64_t p : positions)
    for (const std::int64_t t : taps) {
      Entry entry;
      if (boxes) {
        entry.held = box(p, t);
        entry.whole = static_cast<double>((p_all / p) * (t_all / t) * box(p, t));
        entry.sliding = std::min(
            entry.whole, static_cast<double>(boxes_together(p_all / p, p * window.stride, t_all / t,
                                                            t * window.dilation, box(p, t))));
      } else {
        const auto sum = [&](PieceRole over_positions, PieceRole over_taps) {
          return static_cast<double>(
              axis_sum(window, chain_of(p_all, p, over_positions), chain_of(t_all, t, over_taps)));
        };
        entry.held = window.most_touched(p, t);
        entry.whole = sum(PieceRole::each, PieceRole::each);
        entry.sliding = std::min(sum(PieceRole::slide, PieceRole::each),
                                 sum(PieceRole::each, PieceRole::slide));
        entry.first = static_cast<double>(window.touched(0, p, 0, t));
      }
      entries_.push_back(entry);
    }
  distinct_ = entries_.back().whole;
  clipped_ = window.padding > 0 || box(p_all, t_all) - window.padding > window.stored;
  least_ = entries_.front().sliding;
  for (const Entry& entry : entries_) least_ = std::min(least_, entry.sliding);
}

TileSizes::TileSizes(const MapSpace& space, const std::vector<AxisTable>& axes)
    : space_(space), axes_(axes), levels_(space.machine().levels.size()) {
  constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    const StorageLevel& level = space.machine().levels[i];
    levels_[i].shared = level.capacity_bits.value_or(unlimited);
    for (const Tensor tensor : kTensors) {
      const std::int64_t words = space.accounting() == Accounting::timeloop
                                     ? 1
                                     : words_per_value(space.layer(), level, tensor);
      levels_[i].bits_per_value[index_of(tensor)] = level.buffers * words * level.word_bits;
      levels_[i].partition[index_of(tensor)] = level.partition_bits[index_of(tensor)].value_or(0);
    }
  }
}

std::array<std::int64_t, 3> TileSizes::values(const DivisorIndices& tile) const {
  const bool transposed = space_.layer().transposed;
  const Tensor windowed = windowed_tensor(transposed);
  std::array<std::int64_t, 3> values{1, 1, 1};
  for (const Dimension d : space_.dimensions()) {
    const std::int64_t extent = space_.length(d, tile[index_of(d)]);
    if (extent == 1) continue;
    for (const Tensor tensor : kTensors)
      if (is_relevant(tensor, d, transposed) && !(tensor == windowed && is_window_dimension(d)))
        values[index_of(tensor)] *= extent;
  }
  for (std::size_t a = 0; a < kAxes.size(); ++a)
    values[index_of(windowed)] *=
        axes_[a].at(tile[index_of(kAxes[a].position)], tile[index_of(kAxes[a].tap)]).held;
  return values;
}

bool TileSizes::fits(std::size_t level, TensorSet keep, const DivisorIndices& tile) const {
  const Level& l = levels_[level];
  const std::array<std::int64_t, 3> needs = values(tile);
  std::int64_t shared = 0;
  for (const Tensor tensor : kTensors) {
    if (!keep.has(tensor)) continue;
    const std::size_t t = index_of(tensor);
    const std::int64_t bits = l.bits_per_value[t] * needs[t];
    if (l.partition[t] == 0)
      shared += bits;
    else if (bits > l.partition[t])
      return false;
  }
  return shared <= l.shared;
}

LinkCosts::LinkCosts(const MapSpace& space, const std::vector<AxisTable>& axes,
                     const std::vector<TensorSet>& keep, const SpatialChoice& spatial)
    : space_(space),
      axes_(axes),
      keep_(keep),
      spatial_(spatial),
      timeloop_(space.accounting() == Accounting::timeloop) {
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
  compute_cycles_ = spatial.all_steps;
  const Extents padded = spatial.padded();
  for (std::size_t d = 0; d < kDimensions; ++d)
    if (padded[d] != space.extents()[d]) padded_ |= mask_of(static_cast<Dimension>(d));
  fixed_.energy_pj = macs * machine.compute.mac_energy_pj;
  for (std::size_t i = 0; i < levels; ++i) {
    const StorageLevel& l = machine.levels[i];
    limited_[i] = std::min({l.read_bandwidth, l.write_bandwidth, l.shared_bandwidth,
                            l.network_bandwidth}) != kUnlimited;
  }
  links_.reserve(3 * levels);
  for (const Tensor tensor : kTensors) add_links(tensor);
  visits_may_pay_ = find_whether_visits_pay();
}

double LinkCosts::powered(std::size_t level) const {
  const std::int64_t cluster = space_.machine().levels[level].cluster;
  const double used = instances_[level];
  if (timeloop_) {
    const auto memories = static_cast<double>(space_.machine().instances(level) / cluster);
    return std::min(used, memories) / used;
  }
  // Of padded dimensions fewer may be in use than factors say.
  if (cluster == 1 || padded_ != 0) return 1;
  const auto whole = static_cast<double>(cluster);
  return static_cast<double>(ceil_div(static_cast<std::int64_t>(used), cluster)) * whole / used;
}

void LinkCosts::add_links(Tensor tensor) {
  const bool transposed = space_.layer().transposed;
  Link link;
  link.tensor = tensor;
  link.windowed = tensor == windowed_tensor(transposed);
  link.joined.fill(1);
  for (const Dimension d : space_.dimensions())
    if (is_relevant(tensor, d, transposed) && !(link.windowed && is_window_dimension(d)))
      link.elements *= static_cast<double>(space_.extents()[index_of(d)]);
  if (tensor == Tensor::output) {
    outputs_ = link.elements;
    if (link.windowed)
      for (const AxisTable& axis : axes_) outputs_ *= axis.distinct();
  }
  // Pieces are at least as many as the extent has, of which those that all are as long hold more.
  const Extents padded = spatial_.padded();
  for (const Dimension d : space_.dimensions())
    if ((padded_ & mask_of(d)) != 0 && !is_relevant(tensor, d, transposed))
      link.elements *= static_cast<double>(space_.extents()[index_of(d)]) /
                       static_cast<double>(padded[index_of(d)]);
  const std::size_t levels = space_.machine().levels.size();
  for (std::size_t lower = 1; lower <= levels; ++lower) {
    pass_fanouts(link, lower);
    if (lower < levels && !keep_[lower].has(tensor)) {
      // Loops of a level in between may come between pieces that would be neighbours.
      for (std::size_t a = 0; a < kAxes.size(); ++a)
        for (const Dimension d : {kAxes[a].position, kAxes[a].tap})
          if (space_.temporal(lower)[index_of(d)].most > 1) link.joint[a] = false;
      continue;
    }
    link.lower = lower;
    tensor == Tensor::output ? price_output(link) : price_operand(link);
    if (lower == levels) {
      // The multipliers read padding like values: all of them as much.
      add_multipliers(link);
      if (tensor == Tensor::output) return_to_multipliers_pj_ = link.most_per_return_pj;
    } else {
      // The instance whose ports decide holds the first piece, clipped more than the others: less
      // than its share of what all receive.
      if (!link.even_above) link.words = link.sum_words[0] = link.sum_words[1] = 0;
      const auto cost = [&](double visits) {
        return energy(link, amounts(link, visits, least_window(link)));
      };
      // Linear from two visits on.
      link.least.once = cost(1);
      link.least.per_visit = cost(3) - cost(2);
      link.least.constant = cost(2) - 2 * link.least.per_visit;
      links_into_[lower][link_count_[lower]++] = static_cast<std::uint8_t>(links_.size());
      links_.push_back(link);
    }
    link.upper = lower;
    link.even_above = link.even_below;
    link.copies_above *= link.shared * link.alone;
    link.shared = link.alone = link.spread = 1;
    link.may_slide = link.joint = {true, true, true};
    link.joined.fill(1);
    link.joins = false;
  }
}

/// The spatial factors of the level above `lower`.
void LinkCosts::pass_fanouts(Link& link, std::size_t lower) const {
  for (std::size_t g = 0; g < space_.groups().size(); ++g) {
    const AxisGroup& group = space_.groups()[g];
    if (group.level + 1 != lower) continue;
    // Timeloop knows no fan-out that cannot share.
    const bool shares =
        timeloop_ || (link.tensor == Tensor::output ? group.reduction : group.multicast);
    for (const Dimension d : space_.dimensions()) {
      const std::int64_t factor = spatial_.factors[g][index_of(d)];
      if (factor == 1) continue;
      if (!is_relevant(link.tensor, d, space_.layer().transposed)) {
        (shares ? link.shared : link.alone) *= static_cast<double>(factor);
      } else if (link.windowed && is_window_dimension(d)) {
        // Timeloop compares tiles in time alone.
        if (!timeloop_) link.may_slide[axis_of(d)] = false;
        if (axes_[axis_of(d)].is_clipped()) link.even_below = false;
        if (!shares) {
          // What shares further out is then apart: with dilation such pieces may overlap more.
          if (link.joins) link.joint[axis_of(d)] = false;
          continue;
        }
        link.joined[index_of(d)] *= factor;
        link.joins = true;
      } else {
        link.spread *= static_cast<double>(factor);
      }
    }
  }
}

void LinkCosts::price_operand(Link& link) const {
  const Machine& machine = space_.machine();
  const StorageLevel& upper = machine.levels[link.upper];
  const auto words = [&](const StorageLevel& level) {
    return timeloop_
               ? 1.0
               : static_cast<double>(ceil_div(space_.layer().bits(link.tensor), level.word_bits));
  };
  link.words = words(upper);
  const double bits = link.words * static_cast<double>(upper.word_bits);
  link.per_content_pj = words(upper) * upper.read_energy_pj /
                        static_cast<double>(upper.block_words) * powered(link.upper);
  link.per_entry_pj = 0;
  if (link.lower < machine.levels.size()) {
    const StorageLevel& lower = machine.levels[link.lower];
    link.per_entry_pj = words(lower) * (timeloop_ ? lower.read_energy_pj : lower.write_energy_pj) /
                        static_cast<double>(lower.block_words) * powered(link.lower);
  }
  if (timeloop_) return;
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
  const auto width = [&](const StorageLevel& level, bool partial) {
    const std::int64_t bits =
        partial ? space_.layer().partial_sum_bits : space_.layer().output_bits;
    return timeloop_ ? 1.0 : static_cast<double>(ceil_div(bits, level.word_bits));
  };
  const auto per_word = [&](std::size_t i, double pj) {
    return pj / static_cast<double>(machine.levels[i].block_words) * powered(i);
  };
  const double read = per_word(link.upper, upper.read_energy_pj);
  const double write =
      per_word(link.upper, timeloop_ ? upper.read_energy_pj : upper.write_energy_pj);
  const bool innermost = link.upper == innermost_output_;
  for (const bool partial : {false, true}) {
    const double words = width(upper, partial || (innermost && link.upper != 0));
    link.sum_words[partial] = words;
    const double network =
        timeloop_ ? 0 : words * static_cast<double>(upper.word_bits) * upper.network_energy_pj;
    // Inside the chip every value that arrives is read once more: to go on or to be summed.
    // Timeloop reads the latter alone, fewer than are known where windows overlap.
    const double again = timeloop_ && link.windowed ? 0 : read;
    link.per_update_pj[partial] = link.upper == 0 ? network : words * (write + again) + network;
    link.per_return_pj[partial] =
        link.upper == 0 ? width(upper, true) * (write + read) + network : network;
  }
  link.most_per_return_pj = 0;
  link.finished_pj = link.upper == 0 ? width(upper, false) * write : 0;
  if (link.lower < machine.levels.size()) {
    const StorageLevel& lower = machine.levels[link.lower];
    const double words = width(lower, link.lower == innermost_output_);
    const double read_below = timeloop_ ? 0 : per_word(link.lower, lower.read_energy_pj);
    const double write_below =
        per_word(link.lower, timeloop_ ? lower.read_energy_pj : lower.write_energy_pj);
    link.per_return_below_pj = words * (read_below + write_below);
    link.most_per_return_pj = width(lower, true) * (read_below + write_below);
  }
  double network = 0;
  for (std::size_t i = link.upper; i < link.lower; ++i)
    network += machine.levels[i].network_energy_pj;
  link.most_per_return_pj += network * width(upper, true) * static_cast<double>(upper.word_bits);
  link.per_addition_pj = timeloop_ ? 0 : machine.compute.add_energy_pj;
  // Timeloop reads nothing at the first visit, but sends partial sums back to every child.
  if (!timeloop_) return;
  if (link.upper > 0 && !link.windowed) link.first_visits_pj = outputs_ * link.copies_above * read;
  link.per_return_below_pj *= link.windowed ? 0 : link.shared;
}

void LinkCosts::add_multipliers(const Link& link) {
  const auto macs = static_cast<double>(space_.layer().macs());
  Amounts amounts;
  amounts.entries = macs;
  amounts.content = macs / link.shared;
  if (link.windowed) amounts.content *= fewest_groups(link);
  // A transposed layer drops what falls outside its output.
  if (link.tensor == Tensor::output && space_.layer().transposed) return;
  if (link.tensor == Tensor::output && link.upper == 0)
    amounts.returns = std::max(0.0, amounts.content - outputs_ * link.copies_above);
  fixed_.energy_pj += energy(link, amounts);
  add_words(fixed_, link, amounts);
  if (!limited_[link.upper]) return;
  const Share::Words words = words_of(link, amounts);
  Share::Words& fed = fed_[link.upper];
  fed.read += words.down;
  fed.write += words.write;
  fed.network += words.network;
}

LinkCosts::Bound LinkCosts::fixed() const {
  // What feeds the multipliers goes on beside them and waits whenever they do.
  double busy = compute_cycles_;
  for (std::size_t i = 0; i < space_.machine().levels.size(); ++i)
    if (limited_[i] && !timeloop_) busy = std::max(busy, cycles_of(i, fed_[i]));
  return {fixed_.energy_pj, busy, port_cycles(fixed_)};
}

double LinkCosts::energy(const Link& link, const Amounts& a) const {
  if (link.tensor != Tensor::output)
    return a.content * link.per_content_pj + a.entries * link.per_entry_pj;
  const std::size_t partial = a.returns > 0 ? 1 : 0;
  const double finished = link.upper == 0 ? std::min(a.content, outputs_) * link.finished_pj : 0;
  return finished - link.first_visits_pj + a.content * link.per_update_pj[partial] +
         a.returns * (link.per_return_pj[partial] + link.per_return_below_pj) +
         (a.entries - a.content) * link.per_addition_pj;
}

LinkCosts::Window LinkCosts::least_window(const Link& link) const {
  if (!link.windowed) return {};
  double least = 1;
  for (const AxisTable& axis : axes_) least *= axis.least();
  return {timeloop_ ? least * fewest_groups(link) : least, least};
}

double LinkCosts::fewest_groups(const Link& link) {
  double share = 1;
  for (const Axis& axis : kAxes) {
    const auto p = static_cast<double>(link.joined[index_of(axis.position)]);
    const auto t = static_cast<double>(link.joined[index_of(axis.tap)]);
    share *= std::max(p, t) / (p * t);
  }
  return share;
}

double LinkCosts::sum_along(const Link& link, const DivisorIndices& tile, bool joined, Slide slide,
                            std::size_t axis) const {
  double product = 1, best_gain = 1;
  for (std::size_t a = 0; a < kAxes.size(); ++a) {
    const std::size_t p = index_of(kAxes[a].position), t = index_of(kAxes[a].tap);
    std::size_t positions = tile[p], taps = tile[t];
    if (joined && link.joined[p] * link.joined[t] > 1) {
      if (!link.joint[a]) {
        product *= axes_[a].least();
        continue;
      }
      positions = space_.product(kAxes[a].position, positions, link.joined[p]);
      taps = space_.product(kAxes[a].tap, taps, link.joined[t]);
    }
    const AxisTable::Entry& entry = axes_[a].at(positions, taps);
    product *= entry.whole;
    if (link.may_slide[a] && (slide == Slide::any || (slide == Slide::along && axis == a)))
      best_gain = std::min(best_gain, entry.sliding / entry.whole);
  }
  return product * best_gain;
}

LinkCosts::Window LinkCosts::window(const Link& link, const DivisorIndices& tile, Slide slide,
                                    std::size_t axis) const {
  if (!link.windowed) return {};
  Window window;
  window.content = window.entries = sum_along(link, tile, false, slide, axis);
  if (!link.joins) return window;
  if (!timeloop_) {
    window.content = sum_along(link, tile, true, slide, axis);
    return window;
  }
  // Children with the same tile share a read.
  window.content *= fewest_groups(link);
  return window;
}

LinkCosts::Amounts LinkCosts::amounts(const Link& link, double visits, const Window& window) const {
  const double elements = link.elements * visits * link.copies_above * link.alone;
  Amounts amounts{elements * window.content, elements * link.shared * window.entries, 0};
  // Children further out that add up their sums, or parts of them where windows overlap, each
  // begin anew: how much is fresh here depends on their visits.
  const bool fresh_is_known =
      link.upper == 0 || (!link.windowed && (timeloop_ || link.copies_above == 1));
  if (link.tensor == Tensor::output && fresh_is_known)
    amounts.returns = std::max(0.0, amounts.content - outputs_ * link.copies_above);
  return amounts;
}

LinkCosts::Share::Words LinkCosts::words_of(const Link& link, const Amounts& a) const {
  if (link.tensor != Tensor::output) {
    const double content = a.content * link.words;
    return {content, 0, content, content};
  }
  const double width = link.sum_words[a.returns > 0 ? 1 : 0];
  const double content = a.content * width, returns = a.returns * width;
  // Outside each output is written once as a finished value. Inside the chip every value that
  // arrives is read again, to go on or to be summed.
  if (link.upper == 0) {
    const double write = (a.content - a.returns) * link.sum_words[0] + returns;
    return {returns, write, write + returns, returns};
  }
  return {timeloop_ ? returns : content, content, content + returns, returns};
}

void LinkCosts::add_words(Share& share, const Link& link, const Amounts& a) const {
  if (limited_[link.upper]) {
    const Share::Words words = words_of(link, a);
    Share::Words& upper = share.words[link.upper];
    upper.read += words.read;
    upper.write += words.write;
    upper.network += words.network;
  }
  // Words are at least as many as values.
  if (link.lower < space_.machine().levels.size() && limited_[link.lower] && link.even_below)
    share.words[link.lower].write +=
        link.tensor == Tensor::output ? returns_to_first(link, a) : a.entries;
}

double LinkCosts::returns_to_first(const Link& link, const Amounts& a) const {
  if (link.windowed) return 0;
  return link.shared * std::max(0.0, a.content - outputs_ * link.copies_above * link.alone);
}

LinkCosts::Share LinkCosts::share_of(const Link& link, double visits, const Window& window) const {
  const Amounts a = amounts(link, visits, window);
  Share share;
  share.energy_pj = energy(link, a);
  add_words(share, link, a);
  return share;
}

LinkCosts::Share& LinkCosts::Share::operator+=(const Share& other) {
  energy_pj += other.energy_pj;
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[i].read += other.words[i].read;
    words[i].write += other.words[i].write;
    words[i].network += other.words[i].network;
  }
  return *this;
}

LinkCosts::Share LinkCosts::Share::least_of(const std::vector<Share>& shares) {
  Share least = shares.front();
  for (const Share& share : shares) {
    least.energy_pj = std::min(least.energy_pj, share.energy_pj);
    for (std::size_t i = 0; i < least.words.size(); ++i) {
      least.words[i].read = std::min(least.words[i].read, share.words[i].read);
      least.words[i].write = std::min(least.words[i].write, share.words[i].write);
      least.words[i].network = std::min(least.words[i].network, share.words[i].network);
    }
  }
  return least;
}

double LinkCosts::cycles_of(std::size_t level, const Share::Words& words) const {
  const StorageLevel& l = space_.machine().levels[level];
  const double longest = std::max({words.read / l.read_bandwidth, words.write / l.write_bandwidth,
                                   (words.read + words.write) / l.shared_bandwidth,
                                   timeloop_ ? 0 : words.network / l.network_bandwidth});
  return longest / instances_[level];
}

double LinkCosts::port_cycles(const Share& share) const {
  double cycles = 0;
  for (std::size_t i = 0; i < space_.machine().levels.size(); ++i)
    if (limited_[i]) cycles = std::max(cycles, cycles_of(i, share.words[i]));
  return cycles;
}

LinkCosts::Bound LinkCosts::at_least(std::size_t level, const Visits& moving) const {
  return cheapest(level, nullptr, moving, {1, 1, 1, 1});
}

LinkCosts::Bound LinkCosts::at_least(std::size_t level, const DivisorIndices& tile,
                                     const Visits& moving, const Visits& still) const {
  return cheapest(level, &tile, moving, still);
}

LinkCosts::Bound LinkCosts::cheapest(std::size_t level, const DivisorIndices* tile,
                                     const Visits& moving, const Visits& still) const {
  Bound bound;
  double best_gain = 0, transfer = 0;
  // One tensor at most stays where it is; links from one upper level share its ports.
  std::array<Share::Words, 3> words, gain;
  std::array<std::size_t, 3> uppers;
  std::size_t upper_count = 0;
  for (std::size_t i = 0; i < link_count_[level]; ++i) {
    const Link& link = links_[links_into_[level][i]];
    const std::size_t t = index_of(link.tensor);
    const Window w = tile != nullptr ? window(link, *tile, Slide::any, 0) : least_window(link);
    const Amounts moves = amounts(link, moving[t], w), stays = amounts(link, still[t], w);
    const double energy_moving = energy(link, moves);
    bound.energy_pj += energy_moving;
    best_gain = std::max(best_gain, energy_moving - energy(link, stays));
    if (!limited_[link.upper]) continue;
    std::size_t slot = 0;
    while (slot < upper_count && uppers[slot] != link.upper) ++slot;
    if (slot == upper_count) {
      uppers[upper_count++] = link.upper;
      words[slot] = gain[slot] = {};
    }
    const Share::Words x = words_of(link, moves), y = words_of(link, stays);
    Share::Words &sum = words[slot], &g = gain[slot];
    sum = {sum.read + x.read, sum.write + x.write, sum.network + x.network, sum.down + x.down};
    g = {std::max(g.read, x.read - y.read), std::max(g.write, x.write - y.write),
         std::max(g.network, x.network - y.network), std::max(g.down, x.down - y.down)};
  }
  bound.energy_pj -= best_gain;
  for (std::size_t slot = 0; slot < upper_count; ++slot) {
    const Share::Words least{
        words[slot].read - gain[slot].read, words[slot].write - gain[slot].write,
        words[slot].network - gain[slot].network, words[slot].down - gain[slot].down};
    bound.port_cycles = std::max(bound.port_cycles, cycles_of(uppers[slot], least));
    // Of these, what crosses the links; the rest are reads to sum up or to go on.
    transfer =
        std::max(transfer, cycles_of(uppers[slot], {least.down, least.write, least.network, 0}));
  }
  if (tile != nullptr) bound.busy_cycles = edge_cycles(level, *tile);
  // What a level with one buffer exchanges, nothing overlaps with.
  if (!timeloop_ && space_.machine().levels[level].buffers == 1)
    bound.busy_cycles = std::max(bound.busy_cycles, transfer);
  return bound;
}

double LinkCosts::first_values(const Link& link, const DivisorIndices& tile, bool at_upper) const {
  double values = at_upper ? link.spread : 1;
  for (const Dimension d : space_.dimensions())
    if (is_relevant(link.tensor, d, space_.layer().transposed) &&
        !(link.windowed && is_window_dimension(d)))
      values *= static_cast<double>(space_.length(d, tile[index_of(d)]));
  if (!link.windowed) return values;
  for (std::size_t a = 0; a < kAxes.size(); ++a) {
    const std::size_t p = index_of(kAxes[a].position), t = index_of(kAxes[a].tap);
    std::size_t positions = tile[p], taps = tile[t];
    if (at_upper && link.joins && link.joint[a]) {
      positions = space_.product(kAxes[a].position, positions, link.joined[p]);
      taps = space_.product(kAxes[a].tap, taps, link.joined[t]);
    }
    values *= axes_[a].at(positions, taps).first;
  }
  return values;
}

double LinkCosts::edge_cycles(std::size_t level, const DivisorIndices& tile) const {
  // Outputs of a transposed layer are clipped at their end, and the last pieces of a padded
  // dimension shorter, which no table has.
  if (timeloop_ || space_.layer().transposed || padded_ != 0) return 0;
  const Machine& machine = space_.machine();
  std::array<double, kMostLevels> fill{}, drain{};
  double fill_below = 0, drain_below = 0;
  for (std::size_t i = 0; i < link_count_[level]; ++i) {
    const Link& link = links_[links_into_[level][i]];
    const double sent = first_values(link, tile, true), held = first_values(link, tile, false);
    if (link.tensor == Tensor::output) {
      drain[link.upper] += sent;
      drain_below += held;
    } else {
      fill[link.upper] += sent;
      fill_below += held;
    }
  }
  // Words are at least as many as values.
  const StorageLevel& lower = machine.levels[level];
  double down = fill_below / std::min(lower.write_bandwidth, lower.shared_bandwidth);
  double up = drain_below / std::min(lower.read_bandwidth, lower.shared_bandwidth);
  for (std::size_t i = 0; i < level; ++i) {
    const StorageLevel& upper = machine.levels[i];
    const double both = std::min(upper.shared_bandwidth, upper.network_bandwidth);
    down = std::max(down, fill[i] / std::min(upper.read_bandwidth, both));
    up = std::max(up, drain[i] / std::min(upper.write_bandwidth, both));
  }
  return down + up;
}

void LinkCosts::complete(Tiling& tiling) const {
  Visits outside{1, 1, 1, 1};
  const std::size_t levels = space_.machine().levels.size();
  for (std::size_t i = 0; i < levels; ++i) {
    Visits& unmoved = tiling.unmoved[i];
    unmoved = {1, 1, 1, 1};
    tiling.loops[i] = 1;
    for (const Dimension d : space_.dimensions()) {
      const auto factor = static_cast<double>(tiling.temporal[i][index_of(d)]);
      unmoved[unmoved_[index_of(d)]] *= factor;
      tiling.loops[i] *= factor;
    }
    tiling.further_out[i] = outside;
    for (std::size_t t = 0; t < 4; ++t) outside[t] *= unmoved[t];
  }
}

std::size_t LinkCosts::deciding_level(const Link& link, const Tiling& tiling) const {
  const std::size_t t = index_of(link.tensor);
  for (std::size_t i = link.lower; i-- > 0;)
    if (tiling.loops[i] > 1 && tiling.unmoved[i][t] != tiling.loops[i]) return i;
  return space_.machine().levels.size();
}

LinkCosts::Share LinkCosts::decided_at(std::size_t level, const OrderClass& order,
                                       const Tiling& tiling) const {
  Share share;
  for (const Link& link : links_) {
    if (link.lower <= level || deciding_level(link, tiling) != level) continue;
    const std::size_t t = index_of(link.tensor);
    const double inside = order.stationary == t ? order.outside_run : tiling.unmoved[level][t];
    const std::size_t axis = axis_of(order.slide);
    const Slide slide = axis < kAxes.size() ? Slide::along : Slide::none;
    share += share_of(link, tiling.further_out[level][t] * inside,
                      window(link, tiling.tile[link.lower], slide, axis));
  }
  return share;
}

bool LinkCosts::OrderEffect::at_most(const OrderEffect& other) const {
  for (std::size_t t = 0; t < inside.size(); ++t)
    if (inside[t] > other.inside[t]) return false;
  return output_stays <= other.output_stays &&
         (slide == other.slide || !is_window_dimension(other.slide)) &&
         (slides_on == other.slides_on || !is_window_dimension(other.slides_on)) &&
         (innermost == other.innermost || !is_window_dimension(other.innermost));
}

LinkCosts::OrderEffect LinkCosts::effect_of(std::size_t level, const OrderClass& order,
                                            const Tiling& tiling) const {
  OrderEffect effect;
  bool slides = false;
  for (const Link& link : links_) {
    if (link.lower <= level || deciding_level(link, tiling) != level) continue;
    const std::size_t t = index_of(link.tensor);
    effect.inside[t] = order.stationary == t ? order.outside_run : tiling.unmoved[level][t];
    if (visits_may_pay_ && link.tensor == Tensor::output)
      effect.output_stays = 1 / effect.inside[t];
    slides = slides || link.windowed;
  }
  const Dimension begun = slide_from_inside(level, tiling);
  const auto goes_on = [&](Dimension d) {
    return begun != Dimension::N && (d == begun || (timeloop_ && d == other_of_axis(begun)));
  };
  slides = slides || (timeloop_ && goes_on(order.slide));
  if (slides) effect.slide = order.slide;
  if (goes_on(order.innermost)) effect.innermost = order.innermost;
  if (slides && timeloop_) {
    // Tiles that stay through the innermost loop do not slide in others.
    effect.innermost = order.innermost;
    effect.slides_on = order.slides_on;
  }
  return effect;
}

Dimension LinkCosts::slide_from_inside(std::size_t level, const Tiling& tiling) const {
  const Tensor windowed = windowed_tensor(space_.layer().transposed);
  for (std::size_t i = level + 1; i < space_.machine().levels.size(); ++i) {
    if (tiling.loops[i] == 1) continue;
    // A slide leaves a level only if no other loop of the level moves the tensor. To Timeloop both
    // loops of an axis are one slide, and loops that leave the tensor in place do not end it.
    Dimension only = Dimension::N;
    for (const Dimension d : space_.dimensions()) {
      if (tiling.temporal[i][index_of(d)] == 1 || unmoved_by(d) == index_of(windowed)) continue;
      if (!is_window_dimension(d)) return Dimension::N;
      if (only != Dimension::N && !(timeloop_ && other_of_axis(only) == d)) return Dimension::N;
      only = d;
    }
    if (only != Dimension::N || !timeloop_) return only;
  }
  return Dimension::N;
}

bool LinkCosts::find_whether_visits_pay() const {
  if (timeloop_) return false;
  // From the inside out: one partial sum less that all levels further in read back, at most,
  // against one value more that a level gives and takes, at least.
  double saved = return_to_multipliers_pj_;
  for (std::size_t i = links_.size(); i-- > 0;) {
    const Link& link = links_[i];
    if (link.tensor != Tensor::output) continue;
    double others = link.shared;
    for (const std::int64_t factor : link.joined) others *= static_cast<double>(factor);
    others -= 1;
    const double spent = link.per_update_pj[0] + link.per_return_pj[0] + link.per_return_below_pj;
    if (others * (saved - link.per_addition_pj) > spent) return true;
    saved += link.most_per_return_pj;
  }
  return false;
}

LinkCosts::Share LinkCosts::decided_anyway(const Tiling& tiling) const {
  Share share = fixed_;
  for (const Link& link : links_)
    if (deciding_level(link, tiling) == space_.machine().levels.size())
      share += share_of(link, 1, window(link, tiling.tile[link.lower], Slide::none, 0));
  return share;
}

}  // namespace cosearch::accel
