// What the pieces of loops take along one axis of a window, against looking at each word.
#include "accel/axis_sum.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"

namespace cosearch::accel::test {
namespace {

/// The pieces of one step: which each cut takes, or all of a joint one's.
using Steps = std::vector<std::int64_t>;

std::vector<Steps> steps_of(const AxisChain& chain, PieceRole role) {
  std::vector<Steps> all{{}};
  std::int64_t whole = chain.extent;
  for (std::size_t cut = 0; cut < chain.count; ++cut) {
    const std::int64_t tile = chain.cuts[cut].tile;
    const std::int64_t bound = chain.cuts[cut].role == role ? (whole + tile - 1) / tile : 1;
    std::vector<Steps> longer;
    for (const Steps& steps : all)
      for (std::int64_t i = 0; i < bound; ++i) {
        longer.push_back(steps);
        longer.back().push_back(i);
      }
    all = std::move(longer);
    whole = tile;
  }
  return all;
}

/// Numbers of the dimension that `steps` of `each` and `slide` cuts leave.
std::vector<std::int64_t> members(const AxisChain& chain, const Steps& each, const Steps& slide) {
  std::vector<std::int64_t> left;
  for (std::int64_t x = 0; x < chain.extent; ++x) {
    std::int64_t rest = x;
    bool in = true;
    for (std::size_t cut = 0; cut < chain.count; ++cut) {
      const auto [tile, role] = chain.cuts[cut];
      const std::int64_t piece = rest / tile;
      in = in && (role == PieceRole::joint || piece == (role == PieceRole::each    ? each[cut]
                                                        : role == PieceRole::slide ? slide[cut]
                                                                                   : 0));
      rest -= piece * tile;
    }
    if (in) left.push_back(x);
  }
  return left;
}

std::int64_t by_looking(const WindowAxis& axis, const AxisChain& positions, const AxisChain& taps) {
  std::int64_t taken = 0;
  for (const Steps& p_each : steps_of(positions, PieceRole::each))
    for (const Steps& t_each : steps_of(taps, PieceRole::each)) {
      std::set<std::int64_t> last;
      for (const Steps& p_slide : steps_of(positions, PieceRole::slide))
        for (const Steps& t_slide : steps_of(taps, PieceRole::slide)) {
          const auto of_p = members(positions, p_each, p_slide);
          const auto of_t = members(taps, t_each, t_slide);
          // A step without work leaves the last tile where it is.
          if (of_p.empty() || of_t.empty()) continue;
          std::set<std::int64_t> words;
          for (const std::int64_t p : of_p)
            for (const std::int64_t t : of_t) {
              const std::int64_t word = p * axis.stride + t * axis.dilation - axis.padding;
              if (word >= 0 && word < axis.stored) words.insert(word);
            }
          for (const std::int64_t word : words) taken += last.contains(word) ? 0 : 1;
          last = std::move(words);
        }
    }
  return taken;
}

std::string text_of(const AxisChain& chain) {
  static constexpr std::array kNames{"each", "first", "joint", "slide"};
  std::string text = std::to_string(chain.extent);
  for (std::size_t cut = 0; cut < chain.count; ++cut)
    text += " " + std::string(kNames[static_cast<std::size_t>(chain.cuts[cut].role)]) + " " +
            std::to_string(chain.cuts[cut].tile);
  return text;
}

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}

  /// From `least` to `most`, both included.
  std::int64_t operator()(std::int64_t least, std::int64_t most) {
    return least +
           static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(most - least + 1)));
  }
  PieceRole one_of(const std::vector<PieceRole>& roles) {
    return roles[static_cast<std::size_t>(operator()(0, std::ssize(roles) - 1))];
  }
  /// Tiles need not divide each other. `inner`, if any, are the roles of the innermost cuts.
  AxisChain chain(std::int64_t most, const std::vector<PieceRole>& outer,
                  const std::vector<PieceRole>& inner = {}) {
    AxisChain chain;
    chain.extent = operator()(1, most);
    std::int64_t whole = chain.extent;
    const auto cut = [&](const std::vector<PieceRole>& roles) {
      for (std::int64_t i = operator()(0, 2); i > 0 && whole > 1 && !roles.empty(); --i) {
        whole = operator()(1, whole - 1);
        chain.add(whole, one_of(roles));
      }
    };
    cut(outer);
    cut(inner);
    return chain;
  }

 private:
  Random random_;
};

using Chains = std::pair<AxisChain, AxisChain>;  // of positions, of taps

/// Compares for axes that are drawn, with the chains that `make` draws.
template <class Make>
void compare(std::uint64_t seed, const Make& make) {
  Draw draw(seed);
  for (int i = 0; i < 5'000; ++i) {
    const WindowAxis axis{draw(1, 4), draw(1, 4), draw(0, 5), draw(1, 40)};
    const auto [positions, taps] = make(draw);
    ASSERT_EQ(axis_sum(axis, positions, taps), by_looking(axis, positions, taps))
        << "stride " << axis.stride << " dilation " << axis.dilation << " padding " << axis.padding
        << " stored " << axis.stored << "; positions " << text_of(positions) << "; taps "
        << text_of(taps);
  }
}

const std::vector kApart{PieceRole::each, PieceRole::first};

TEST(AxisSumTest, CountsPiecesTakenByThemselvesOrTogether) {
  const std::vector roles{PieceRole::each, PieceRole::first, PieceRole::joint};
  compare(21, [&](Draw& draw) { return Chains{draw.chain(16, roles), draw.chain(6, roles)}; });
}

TEST(AxisSumTest, CountsWhatSlidingPositionsTakeAnew) {
  compare(22, [](Draw& draw) {
    return Chains{draw.chain(24, kApart, {PieceRole::slide}), draw.chain(6, kApart)};
  });
}

TEST(AxisSumTest, CountsWhatSlidingTapsTakeAnew) {
  compare(23, [](Draw& draw) {
    return Chains{draw.chain(16, kApart), draw.chain(10, kApart, {PieceRole::slide})};
  });
}

TEST(AxisSumTest, CountsSlidingPiecesWithGapsWithoutLookingAtThem) {
  // Neighbouring positions touch three words each, four apart, and none in common.
  const WindowAxis axis{1, 4, 0, std::int64_t{1} << 40};
  AxisChain positions, taps;
  positions.extent = std::int64_t{1} << 38;
  positions.add(1, PieceRole::slide);
  taps.extent = 3;
  EXPECT_EQ(axis_sum(axis, positions, taps), 3 * positions.extent);
}

}  // namespace
}  // namespace cosearch::accel::test
