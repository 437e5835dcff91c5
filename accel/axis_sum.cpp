#include "accel/axis_sum.h"

#include <algorithm>

#include "accel/flat_nest.h"

namespace cosearch::accel {
namespace {

struct Piece {
  std::int64_t begin = 0, length = 1;
};

/// The sum over position pieces for one range of taps, where each piece takes one interval.
class IntervalSum {
 public:
  IntervalSum(const WindowAxis& axis, const AxisChain& positions, std::size_t outer, Piece taps)
      : positions_(positions),
        outer_(outer),
        stored_(axis.stored),
        shift_(taps.begin * axis.dilation - axis.padding),
        // A single tap touches points a stride apart: count them as if they were neighbours.
        stride_(axis.stride),
        window_((taps.length - 1) * axis.dilation + 1),
        points_(taps.length == 1) {}

  [[nodiscard]] std::int64_t run() const { return sum({0, positions_.extent}, 0); }

 private:
  [[nodiscard]] std::int64_t low(std::int64_t p) const { return p * stride_ + shift_; }
  [[nodiscard]] bool inside(Piece piece) const {
    return low(piece.begin) >= 0 && low(piece.begin + piece.length - 1) + window_ <= stored_;
  }

  /// Positions covered by, and number of, the outer pieces of a stretch.
  struct Cover {
    std::int64_t positions = 0, pieces = 0;
  };
  [[nodiscard]] Cover cover(std::int64_t length, std::size_t cut) const {
    if (cut == outer_) return {length, 1};
    const auto [tile, role] = positions_.cuts[cut];
    if (role == PieceRole::first) return cover(std::min(tile, length), cut + 1);
    const std::int64_t full = quotient(length, tile), rest = length - full * tile;
    Cover all{};
    if (full > 0) {
      const Cover one = cover(tile, cut + 1);
      all = {full * one.positions, full * one.pieces};
    }
    if (rest > 0) {
      const Cover last = cover(rest, cut + 1);
      all.positions += last.positions;
      all.pieces += last.pieces;
    }
    return all;
  }

  [[nodiscard]] std::int64_t unclipped(std::int64_t length, std::size_t cut) const {
    const Cover c = cover(length, cut);
    return points_ ? c.positions : stride_ * c.positions + c.pieces * (window_ - stride_);
  }

  [[nodiscard]] std::int64_t clipped(Piece piece) const {
    if (!points_) {
      const std::int64_t from = std::max<std::int64_t>(low(piece.begin), 0);
      const std::int64_t to = std::min(low(piece.begin + piece.length - 1) + window_, stored_);
      return std::max<std::int64_t>(to - from, 0);
    }
    // Points p with 0 <= low(p) < stored.
    const std::int64_t first = shift_ >= 0 ? 0 : ceil_div(-shift_, stride_);
    const std::int64_t past = shift_ >= stored_ ? 0 : ceil_div(stored_ - shift_, stride_);
    return std::max<std::int64_t>(
        std::min(piece.begin + piece.length, past) - std::max(piece.begin, first), 0);
  }

  [[nodiscard]] std::int64_t sum(Piece piece, std::size_t cut) const {
    if (inside(piece)) return unclipped(piece.length, cut);
    if (cut == outer_) return clipped(piece);
    const auto [tile, role] = positions_.cuts[cut];
    if (role == PieceRole::first) return sum({piece.begin, std::min(tile, piece.length)}, cut + 1);
    return sum_of_pieces(piece, tile, cut);
  }

  /// Pieces at the edges one by one, those between them, which are all alike, at once.
  [[nodiscard]] std::int64_t sum_of_pieces(Piece piece, std::int64_t tile, std::size_t cut) const {
    std::int64_t total = 0, i = 0;
    for (; i < piece.length && low(piece.begin + i) < 0; i += tile)
      total += sum({piece.begin + i, std::min(tile, piece.length - i)}, cut + 1);
    // Last position whose window is wholly stored.
    const std::int64_t last =
        stored_ - window_ - shift_ < 0 ? -1 : quotient(stored_ - window_ - shift_, stride_);
    const std::int64_t room = std::min(piece.length, last + 1 - piece.begin) - i;
    if (room >= tile) {
      const std::int64_t alike = quotient(room, tile);
      total += alike * unclipped(tile, cut + 1);
      i += alike * tile;
    }
    for (; i < piece.length; i += tile)
      total += sum({piece.begin + i, std::min(tile, piece.length - i)}, cut + 1);
    return total;
  }

  const AxisChain& positions_;
  std::size_t outer_;
  std::int64_t stored_, shift_, stride_, window_;
  bool points_;
};

/// The sum over position pieces for one range of taps, where pieces may have gaps and may slide.
class GapSum {
 public:
  GapSum(const WindowAxis& axis, const AxisChain& positions, std::size_t outer, Piece taps)
      : axis_(axis), positions_(positions), outer_(outer), taps_(taps) {}

  [[nodiscard]] std::int64_t run() const { return row({0, positions_.extent}, 0).sum; }

 private:
  /// Pieces that follow each other: what they take in all, and those at both ends.
  struct Row {
    std::int64_t sum = 0;
    Piece first, last;
  };

  [[nodiscard]] std::int64_t touched(Piece piece) const {
    return axis_.touched(piece.begin, piece.begin + piece.length, taps_.begin,
                         taps_.begin + taps_.length);
  }
  /// What the second of two pieces in a row takes although the first one had it.
  [[nodiscard]] std::int64_t in_common(Piece first, Piece second) const {
    return touched(first) + touched(second) - touched({first.begin, first.length + second.length});
  }

  [[nodiscard]] Row row(Piece piece, std::size_t cut) const {
    if (cut == outer_) return {touched(piece), piece, piece};
    const auto [tile, role] = positions_.cuts[cut];
    if (role == PieceRole::first || tile >= piece.length)
      return row({piece.begin, std::min(tile, piece.length)}, cut + 1);
    Row all;
    for (std::int64_t i = 0; i < piece.length;) {
      const Piece next{piece.begin + i, std::min(tile, piece.length - i)};
      const std::int64_t alike = tiles_inside(next.begin, piece.length - i, tile);
      const Row some = repeated(row(next, cut + 1), alike, tile, role);
      if (i > 0 && role == PieceRole::slide) all.sum -= in_common(all.last, some.first);
      all = {all.sum + some.sum, i == 0 ? some.first : all.first, some.last};
      i += alike * tile;
    }
    return all;
  }

  /// How many tiles from `begin` on have all their windows stored, and so take as much as each
  /// other; at least 1.
  [[nodiscard]] std::int64_t tiles_inside(std::int64_t begin, std::int64_t length,
                                          std::int64_t tile) const {
    const std::int64_t shift = taps_.begin * axis_.dilation - axis_.padding;
    const std::int64_t room = axis_.stored - 1 - shift - (taps_.length - 1) * axis_.dilation;
    if (begin * axis_.stride + shift < 0 || room < 0) return 1;
    const std::int64_t end = std::min(begin + length, quotient(room, axis_.stride) + 1);
    return std::max<std::int64_t>(quotient(std::max<std::int64_t>(end - begin, 0), tile), 1);
  }

  [[nodiscard]] Row repeated(Row one, std::int64_t times, std::int64_t tile, PieceRole role) const {
    const auto moved = [](Piece piece, std::int64_t by) {
      return Piece{piece.begin + by, piece.length};
    };
    if (times == 1) return one;
    one.sum *= times;
    if (role == PieceRole::slide)
      one.sum -= (times - 1) * in_common(one.last, moved(one.first, tile));
    one.last = moved(one.last, (times - 1) * tile);
    return one;
  }

  const WindowAxis& axis_;
  const AxisChain& positions_;
  std::size_t outer_;
  Piece taps_;
};

/// Position by position, for joint pieces that are apart: of several loops' pieces together, but
/// not of those between them. Nothing slides there.
class ApartSum {
 public:
  ApartSum(const WindowAxis& axis, const AxisChain& positions, const AxisChain& taps)
      : axis_(axis), chains_{&positions, &taps} {}

  [[nodiscard]] std::int64_t run() {
    total_ = 0;
    for_each_step(0, 0);
    return total_;
  }

 private:
  static std::int64_t bound(const AxisChain& chain, std::size_t cut) {
    const auto [tile, role] = chain.cuts[cut];
    if (role != PieceRole::each) return 1;
    const std::int64_t whole = cut == 0 ? chain.extent : chain.cuts[cut - 1].tile;
    return ceil_div(whole, tile);
  }

  void for_each_step(std::size_t chain, std::size_t cut) {
    if (chain == 2) {
      total_ += taken();
    } else if (cut == chains_[chain]->count) {
      for_each_step(chain + 1, 0);
    } else {
      for (std::int64_t i = 0; i < bound(*chains_[chain], cut); ++i) {
        digits_[chain][cut] = i;
        for_each_step(chain, cut + 1);
      }
    }
  }

  [[nodiscard]] std::int64_t taken() const {
    std::int64_t count = 0;
    for (std::int64_t y = 0; y < axis_.stored; ++y) count += holds(y) ? 1 : 0;
    return count;
  }

  [[nodiscard]] bool holds(std::int64_t y) const {
    for (std::int64_t r = 0; r < chains_[1]->extent; ++r) {
      const std::int64_t offset = y + axis_.padding - r * axis_.dilation;
      if (offset < 0 || offset % axis_.stride != 0) continue;
      const std::int64_t p = offset / axis_.stride;
      if (p < chains_[0]->extent && in_piece(0, p) && in_piece(1, r)) return true;
    }
    return false;
  }

  [[nodiscard]] bool in_piece(std::size_t chain, std::int64_t x) const {
    for (std::size_t cut = 0; cut < chains_[chain]->count; ++cut) {
      const auto [tile, role] = chains_[chain]->cuts[cut];
      const std::int64_t piece = quotient(x, tile);
      if (role != PieceRole::joint && piece != digits_[chain][cut]) return false;
      x -= piece * tile;
    }
    return true;
  }

  const WindowAxis& axis_;
  std::array<const AxisChain*, 2> chains_;
  std::array<std::array<std::int64_t, AxisChain::kMost>, 2> digits_;  ///< pieces of the step
  std::int64_t total_ = 0;
};

bool slides(const AxisChain& chain, std::size_t cut) {
  return chain.cuts[cut].role == PieceRole::slide;
}

/// How the pieces of a chain's cuts are taken, from the outside in.
struct Order {
  std::size_t by_themselves = 0;  ///< the first cuts
  std::size_t sliding = 0;        ///< those and the sliding ones; after them pieces are joint
  bool apart = false;             ///< joint pieces outside others
};

Order order_of(const AxisChain& chain) {
  Order order;
  std::size_t& end = order.sliding = chain.count;
  while (end > 0 && chain.cuts[end - 1].role == PieceRole::joint) --end;
  order.by_themselves = end;
  while (order.by_themselves > 0 && slides(chain, order.by_themselves - 1)) --order.by_themselves;
  for (std::size_t i = 0; i < end; ++i)
    order.apart = order.apart || chain.cuts[i].role == PieceRole::joint;
  return order;
}

std::int64_t sum_over_positions(const WindowAxis& axis, const AxisChain& positions,
                                const Order& order, Piece taps) {
  const bool gaps = taps.length > 1 && (axis.dilation > 1 || axis.stride > taps.length);
  if (gaps) return GapSum(axis, positions, order.sliding, taps).run();
  // What sliding tiles take anew adds up to what all of them touch.
  return IntervalSum(axis, positions, order.by_themselves, taps).run();
}

/// Calls visit(piece) for the pieces of a chain's cuts from `cut` to `end`.
template <class Visit>
void for_each_piece(const AxisChain& chain, std::size_t cut, std::size_t end, Piece piece,
                    const Visit& visit) {
  if (cut == end) {
    visit(piece);
    return;
  }
  const auto [tile, role] = chain.cuts[cut];
  const std::int64_t past = role == PieceRole::first ? 1 : piece.length;
  for (std::int64_t i = 0; i < past; i += tile)
    for_each_piece(chain, cut + 1, end, {piece.begin + i, std::min(tile, piece.length - i)}, visit);
}

}  // namespace

std::int64_t axis_sum(const WindowAxis& axis, const AxisChain& positions, const AxisChain& taps) {
  if (positions.count == 0 && taps.count == 0)
    return axis.touched(0, positions.extent, 0, taps.extent);
  const Order along = order_of(positions), window = order_of(taps);
  if (along.apart || window.apart) return ApartSum(axis, positions, taps).run();
  const auto sum = [&](Piece range) { return sum_over_positions(axis, positions, along, range); };
  std::int64_t total = 0;
  for_each_piece(taps, 0, window.by_themselves, {0, taps.extent}, [&](Piece whole) {
    // Tiles that slide without gaps take anew, in all, what all of them touch.
    if (window.sliding == window.by_themselves || (axis.dilation == 1 && axis.stride == 1)) {
      total += sum(whole);
      return;
    }
    Piece last{whole.begin, 0};
    for_each_piece(taps, window.by_themselves, window.sliding, whole, [&](Piece next) {
      // What the two touch together, without what the last one has touched already.
      total += sum({last.begin, last.length + next.length});
      if (last.length > 0) total -= sum(last);
      last = next;
    });
  });
  return total;
}

}  // namespace cosearch::accel
