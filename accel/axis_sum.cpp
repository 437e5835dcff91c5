#include "accel/axis_sum.h"

#include "accel/flat_nest.h"

namespace cosearch::accel {
namespace {

struct Piece {
  std::int64_t begin = 0, length = 1;
};

bool merges(PieceRole role) { return role == PieceRole::joint || role == PieceRole::slide; }

/// The outer cuts, whose pieces are taken by themselves; the inner ones, whose pieces merge.
struct Split {
  std::size_t outer = 0;   ///< cuts before the merging ones
  bool slides = false;     ///< whether a merging cut slides
  bool apart = false;      ///< whether a merging cut has an outer one inside it
  std::int64_t piece = 1;  ///< length of the innermost piece
};

Split split(const AxisChain& chain) {
  Split s;
  s.outer = chain.count;
  while (s.outer > 0 && merges(chain.cuts[s.outer - 1].role)) {
    --s.outer;
    s.slides = s.slides || chain.cuts[s.outer].role == PieceRole::slide;
  }
  for (std::size_t i = 0; i < s.outer; ++i) s.apart = s.apart || merges(chain.cuts[i].role);
  s.piece = chain.count == 0 ? chain.extent : chain.cuts[chain.count - 1].tile;
  return s;
}

/// Calls visit(piece) for each outer piece of `chain`.
template <class Visit>
void for_each_piece(const AxisChain& chain, std::size_t outer, Piece piece, std::size_t cut,
                    const Visit& visit) {
  if (cut == outer) {
    visit(piece);
    return;
  }
  const auto [tile, role] = chain.cuts[cut];
  const std::int64_t end = role == PieceRole::first ? 1 : piece.length;
  for (std::int64_t i = 0; i < end; i += tile)
    for_each_piece(chain, outer, {piece.begin + i, std::min(tile, piece.length - i)}, cut + 1,
                   visit);
}

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

/// Piece by piece and position by position, for windows with gaps and joint pieces that are apart.
class PointwiseSum {
 public:
  PointwiseSum(const WindowAxis& axis, const AxisChain& positions, const AxisChain& taps)
      : axis_(axis), chains_{&positions, &taps} {}

  [[nodiscard]] std::int64_t run() {
    std::int64_t total = 0;
    each(0, 0, total);
    return total;
  }

 private:
  using Digits = std::array<std::array<std::int64_t, AxisChain::kMost>, 2>;

  static std::int64_t bound(const AxisChain& chain, std::size_t cut) {
    const std::int64_t whole = cut == 0 ? chain.extent : chain.cuts[cut - 1].tile;
    return ceil_div(whole, chain.cuts[cut].tile);
  }

  /// All digits of `each` cuts, then all of `slide` cuts in order.
  void each(std::size_t chain, std::size_t cut, std::int64_t& total) {
    if (chain == 2) {
      has_last_ = false;
      slide(0, 0, total);
      return;
    }
    if (cut == chains_[chain]->count) return each(chain + 1, 0, total);
    digits_[chain][cut] = 0;
    if (chains_[chain]->cuts[cut].role != PieceRole::each) return each(chain, cut + 1, total);
    for (std::int64_t i = 0; i < bound(*chains_[chain], cut); ++i) {
      digits_[chain][cut] = i;
      each(chain, cut + 1, total);
    }
  }

  void slide(std::size_t chain, std::size_t cut, std::int64_t& total) {
    if (chain == 2) {
      // A step without work leaves the last tile where it is.
      if (is_empty(0) || is_empty(1)) return;
      total += taken();
      last_ = digits_;
      has_last_ = true;
      return;
    }
    if (cut == chains_[chain]->count) return slide(chain + 1, 0, total);
    if (chains_[chain]->cuts[cut].role != PieceRole::slide) return slide(chain, cut + 1, total);
    for (std::int64_t i = 0; i < bound(*chains_[chain], cut); ++i) {
      digits_[chain][cut] = i;
      slide(chain, cut + 1, total);
    }
  }

  [[nodiscard]] bool is_empty(std::size_t chain) const {
    for (std::int64_t x = 0; x < chains_[chain]->extent; ++x)
      if (in_piece(chain, digits_, x)) return false;
    return true;
  }

  [[nodiscard]] std::int64_t taken() const {
    std::int64_t count = 0;
    for (std::int64_t y = 0; y < axis_.stored; ++y)
      if (holds(digits_, y) && !(has_last_ && holds(last_, y))) ++count;
    return count;
  }

  [[nodiscard]] bool holds(const Digits& digits, std::int64_t y) const {
    for (std::int64_t r = 0; r < chains_[1]->extent; ++r) {
      const std::int64_t offset = y + axis_.padding - r * axis_.dilation;
      if (offset < 0 || offset % axis_.stride != 0) continue;
      const std::int64_t p = offset / axis_.stride;
      if (p < chains_[0]->extent && in_piece(0, digits, p) && in_piece(1, digits, r)) return true;
    }
    return false;
  }

  [[nodiscard]] bool in_piece(std::size_t chain, const Digits& digits, std::int64_t x) const {
    for (std::size_t cut = 0; cut < chains_[chain]->count; ++cut) {
      const auto [tile, role] = chains_[chain]->cuts[cut];
      const std::int64_t piece = x / tile;
      if (role != PieceRole::joint && piece != digits[chain][cut]) return false;
      x -= piece * tile;
    }
    return true;
  }

  const WindowAxis& axis_;
  std::array<const AxisChain*, 2> chains_;
  Digits digits_{}, last_{};
  bool has_last_ = false;
};

/// Whether windows of any number of positions and `taps` neighbouring taps leave no gaps.
bool leaves_no_gaps(const WindowAxis& axis, std::int64_t taps) {
  return axis.dilation == 1 && axis.stride <= taps;
}

}  // namespace

std::int64_t axis_sum(const WindowAxis& axis, const AxisChain& positions, const AxisChain& taps) {
  if (positions.count == 0 && taps.count == 0)
    return axis.touched(0, positions.extent, 0, taps.extent);
  const Split along = split(positions), window = split(taps);
  if (along.apart || window.apart) return PointwiseSum(axis, positions, taps).run();
  std::int64_t total = 0;
  bool gaps = false;
  for_each_piece(taps, window.outer, {0, taps.extent}, 0, [&](Piece t) {
    const std::int64_t tile_taps = window.slides ? std::min(window.piece, t.length) : t.length;
    // What a sliding tile takes anew adds up to what all of them touch only if each tile is one
    // interval, or a row of points that it never meets again.
    const bool simple = leaves_no_gaps(axis, tile_taps) || (t.length == 1 && !window.slides);
    const bool last_is_shorter = window.slides && t.length % window.piece != 0;
    if (simple && !(last_is_shorter && !leaves_no_gaps(axis, t.length % window.piece))) {
      total += IntervalSum(axis, positions, along.outer, t).run();
    } else if (!along.slides && !window.slides) {
      for_each_piece(positions, along.outer, {0, positions.extent}, 0, [&](Piece p) {
        total += axis.touched(p.begin, p.begin + p.length, t.begin, t.begin + t.length);
      });
    } else {
      gaps = true;
    }
  });
  return gaps ? PointwiseSum(axis, positions, taps).run() : total;
}

}  // namespace cosearch::accel
