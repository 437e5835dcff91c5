// A slow and obvious oracle: walks every tile of a mapping, keeps in each buffer the set of words
// it holds, and counts each word that moves. Shares no formula with accel/traffic.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "accel/traffic.h"

namespace cosearch::accel::test {

using Word = std::array<std::int64_t, 5>;
using Words = std::set<Word>;

/// Half-open range of each loop that a tile covers; empty when `begin >= end`.
struct Box {
  Extents begin{}, end{};
  [[nodiscard]] bool empty_along(std::size_t d) const { return begin[d] >= end[d]; }
};

class LoopNestWalk {
 public:
  LoopNestWalk(const Layer& layer, const Mapping& mapping)
      : layer_(layer), mapping_(mapping), extents_(extents_of(layer)) {}

  Counts run() {
    counts_.compute_cycles = 0;
    iterate_shared(0, Extents{});
    for (const Tensor tensor : kTensors) {
      leave_shared_if_output(tensor);
      leave_pes_if_output(tensor);
    }
    finish_outputs();
    return counts_;
  }

 private:
  /// What one store last received: loop indices of the tile, its words.
  struct Resident {
    std::optional<std::vector<std::int64_t>> indices;
    Words words;
  };

  static std::size_t at(Tensor tensor) { return static_cast<std::size_t>(tensor); }

  /// Every loop over shared tiles, outermost first, then the loops over array tiles in each.
  void iterate_shared(std::size_t depth, const Extents& shared_index) {
    if (depth == kDimensions) {
      iterate_array(0, shared_index, Extents{});
      return;
    }
    const std::size_t d = index_of(mapping_.dram_order[depth]);
    for (std::int64_t i = 0; i * mapping_.shared_tile[d] < extents_[d]; ++i) {
      Extents next = shared_index;
      next[d] = i;
      iterate_shared(depth + 1, next);
    }
  }

  void iterate_array(std::size_t depth, const Extents& shared_index, const Extents& array_index) {
    if (depth == kDimensions) {
      visit(shared_index, array_index);
      return;
    }
    const std::size_t d = index_of(mapping_.array_order[depth]);
    // The fixed schedule of a full tile, also at the edge of the layer.
    const std::int64_t full = std::min(mapping_.shared_tile[d], extents_[d]);
    for (std::int64_t i = 0; i * mapping_.array_tile(d) < full; ++i) {
      Extents next = array_index;
      next[d] = i;
      iterate_array(depth + 1, shared_index, next);
    }
  }

  [[nodiscard]] Box shared_box(const Extents& shared_index) const {
    Box box;
    for (std::size_t d = 0; d < kDimensions; ++d) {
      box.begin[d] = shared_index[d] * mapping_.shared_tile[d];
      box.end[d] = std::min(box.begin[d] + mapping_.shared_tile[d], extents_[d]);
    }
    return box;
  }
  [[nodiscard]] Box array_box(const Box& shared, const Extents& array_index) const {
    Box box;
    for (std::size_t d = 0; d < kDimensions; ++d) {
      box.begin[d] = shared.begin[d] + array_index[d] * mapping_.array_tile(d);
      box.end[d] = std::min(box.begin[d] + mapping_.array_tile(d), shared.end[d]);
    }
    return box;
  }
  [[nodiscard]] Box pe_box(const Box& array, const Extents& pe) const {
    Box box;
    for (std::size_t d = 0; d < kDimensions; ++d) {
      box.begin[d] = array.begin[d] + pe[d] * mapping_.pe_tile[d];
      box.end[d] = std::min(box.begin[d] + mapping_.pe_tile[d], array.end[d]);
    }
    return box;
  }

  /// Calls visit(pe) for each PE the mapping unrolls over, by its position along each loop.
  void for_each_pe(std::size_t d, Extents pe, const std::function<void(const Extents&)>& visit) {
    if (d == kDimensions) {
      visit(pe);
      return;
    }
    for (pe[d] = 0; pe[d] < mapping_.spatial(d); ++pe[d]) for_each_pe(d + 1, pe, visit);
  }

  [[nodiscard]] Words words_of(Tensor tensor, const Box& box) const {
    using enum Dimension;
    Words words;
    Extents i{};
    const std::function<void(std::size_t)> loop = [&](std::size_t d) {
      if (d < kDimensions) {
        if (!is_relevant(tensor, static_cast<Dimension>(d))) return loop(d + 1);
        for (i[d] = box.begin[d]; i[d] < box.end[d]; ++i[d]) loop(d + 1);
        return;
      }
      const auto x = [&](Dimension dim) { return i[index_of(dim)]; };
      if (tensor == Tensor::weights) {
        words.insert({x(G), x(K), x(C), x(R), x(S)});
      } else if (tensor == Tensor::output) {
        words.insert({x(N), x(G), x(K), x(P), x(Q)});
      } else {
        const std::int64_t row = x(P) * layer_.stride_h + x(R) * layer_.dilation_h - layer_.pad_top;
        const std::int64_t column =
            x(Q) * layer_.stride_w + x(S) * layer_.dilation_w - layer_.pad_left;
        if (row >= 0 && row < layer_.input_h && column >= 0 && column < layer_.input_w)
          words.insert({x(N), x(G), x(C), row, column});
      }
    };
    loop(0);
    return words;
  }

  /// Indices of the loops that move `tensor`, in a fixed order.
  static std::vector<std::int64_t> indices_moving(Tensor tensor, const Extents& shared_index,
                                                  const Extents& array_index) {
    std::vector<std::int64_t> indices;
    for (std::size_t d = 0; d < kDimensions; ++d)
      if (is_relevant(tensor, static_cast<Dimension>(d))) {
        indices.push_back(shared_index[d]);
        indices.push_back(array_index[d]);
      }
    return indices;
  }

  /// Whether exactly one loop has moved, by one step, and it is one over output rows or columns.
  static bool slid_one_step(Tensor tensor, const std::vector<std::int64_t>& from,
                            const std::vector<std::int64_t>& to, std::array<bool, 2> may_slide) {
    std::size_t moved = 0, which = 0;
    for (std::size_t i = 0; i < to.size(); ++i)
      if (from[i] != to[i]) {
        ++moved;
        which = i;
      }
    if (moved != 1 || to[which] != from[which] + 1) return false;
    std::vector<Dimension> loops;
    for (std::size_t d = 0; d < kDimensions; ++d)
      if (is_relevant(tensor, static_cast<Dimension>(d)))
        loops.push_back(static_cast<Dimension>(d));
    const Dimension loop = loops[which / 2];
    return (loop == Dimension::P && may_slide[0]) || (loop == Dimension::Q && may_slide[1]);
  }

  /// Whether `box` has work along every loop that does not move `tensor`.
  static bool has_work_besides(Tensor tensor, const Box& box) {
    for (std::size_t d = 0; d < kDimensions; ++d)
      if (!is_relevant(tensor, static_cast<Dimension>(d)) && box.empty_along(d)) return false;
    return true;
  }

  static Words minus(const Words& a, const Words& b) {
    Words rest;
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(rest, rest.end()));
    return rest;
  }

  void visit(const Extents& shared_index, const Extents& array_index) {
    const Box shared = shared_box(shared_index);
    const Box array = array_box(shared, array_index);
    compute(array);
    for (const Tensor tensor : kTensors) {
      enter_shared(tensor, shared, shared_index);
      if (has_work_besides(tensor, array)) enter_array(tensor, array, shared_index, array_index);
    }
  }

  void compute(const Box& array) {
    std::int64_t busiest = 0;
    for_each_pe(0, {}, [&](const Extents& pe) {
      const Box box = pe_box(array, pe);
      std::int64_t macs = 1;
      for (std::size_t d = 0; d < kDimensions; ++d)
        macs *= std::max<std::int64_t>(0, box.end[d] - box.begin[d]);
      counts_.macs += macs;
      busiest = std::max(busiest, macs);
    });
    counts_.compute_cycles += busiest;
  }

  void enter_shared(Tensor tensor, const Box& box, const Extents& shared_index) {
    Resident& resident = shared_[at(tensor)];
    const auto indices = indices_moving(tensor, shared_index, Extents{});
    if (resident.indices == indices) return;
    const Words words = words_of(tensor, box);
    if (tensor == Tensor::output) {
      leave_shared_if_output(tensor);
      for (const Word& word : words)
        if (seen_by_dram_.contains(word)) {
          ++counts_.at(Level::dram, tensor).reads;
          ++counts_.at(Level::shared_buffer, tensor).fills;
        }
    } else {
      const bool slid =
          resident.indices && slid_one_step(tensor, *resident.indices, indices, {true, true});
      const auto moved =
          static_cast<std::int64_t>((slid ? minus(words, resident.words) : words).size());
      counts_.at(Level::dram, tensor).reads += moved;
      counts_.at(Level::shared_buffer, tensor).fills += moved;
    }
    if (!resident.indices && tensor != Tensor::output && counts_.edge_shared_tile[at(tensor)] == 0)
      counts_.edge_shared_tile[at(tensor)] = static_cast<std::int64_t>(words.size());
    resident = {indices, words};
  }

  void leave_shared_if_output(Tensor tensor) {
    if (tensor != Tensor::output) return;
    counts_.edge_shared_tile[at(tensor)] =
        static_cast<std::int64_t>(shared_[at(tensor)].words.size());
    for (const Word& word : shared_[at(tensor)].words) {
      ++counts_.at(Level::dram, tensor).updates;
      ++counts_.at(Level::shared_buffer, tensor).reads;  // the drain
      seen_by_dram_.insert(word);
    }
    shared_[at(tensor)] = {};
  }

  void enter_array(Tensor tensor, const Box& array, const Extents& shared_index,
                   const Extents& array_index) {
    const auto indices = indices_moving(tensor, shared_index, array_index);
    const bool moves = array_indices_[at(tensor)] != indices;
    if (moves && tensor == Tensor::output) leave_pes_if_output(tensor);
    if (moves && tensor == Tensor::output) {
      for (const Word& word : words_of(tensor, array))
        if (seen_by_array_.contains(word)) {
          ++counts_.at(Level::shared_buffer, tensor).reads;
          ++counts_.at(Level::pe_buffer, tensor).fills;
          ++counts_.deliveries[at(tensor)];
          ++partial_sums_back_;
        }
    }
    array_indices_[at(tensor)] = indices;
    const auto unrolled = [&](Dimension d) { return mapping_.spatial(index_of(d)) > 1; };
    const std::array<bool, 2> may_slide{!unrolled(Dimension::P) && !unrolled(Dimension::R),
                                        !unrolled(Dimension::Q) && !unrolled(Dimension::S)};
    Words sent;  // a word that several PEs take at once crosses once
    for_each_pe(0, {}, [&](const Extents& pe) {
      const Box box = pe_box(array, pe);
      if (!has_work_besides(tensor, box)) return;
      Resident& resident = pes_[at(tensor)][pe];
      if (resident.indices == indices) return;
      const Words words = words_of(tensor, box);
      if (tensor != Tensor::output) {
        const bool slid =
            resident.indices && slid_one_step(tensor, *resident.indices, indices, may_slide);
        const Words fetched = slid ? minus(words, resident.words) : words;
        counts_.at(Level::pe_buffer, tensor).fills += static_cast<std::int64_t>(fetched.size());
        counts_.deliveries[at(tensor)] += static_cast<std::int64_t>(fetched.size());
        sent.insert(fetched.begin(), fetched.end());
      }
      resident = {indices, words};
    });
    if (tensor == Tensor::output) return;
    if (!first_sent_[at(tensor)])
      counts_.edge_array_tile[at(tensor)] = static_cast<std::int64_t>(sent.size());
    first_sent_[at(tensor)] = true;
    counts_.at(Level::shared_buffer, tensor).reads += static_cast<std::int64_t>(sent.size());
  }

  void leave_pes_if_output(Tensor tensor) {
    if (tensor != Tensor::output) return;
    Words summed;
    for (auto& [pe, resident] : pes_[at(tensor)]) {
      const auto words = static_cast<std::int64_t>(resident.words.size());
      drains_ += words;
      counts_.deliveries[at(tensor)] += words;
      counts_.spatial_additions += words;
      summed.insert(resident.words.begin(), resident.words.end());
      resident = {};
    }
    counts_.spatial_additions -= static_cast<std::int64_t>(summed.size());
    counts_.at(Level::shared_buffer, tensor).updates += static_cast<std::int64_t>(summed.size());
    if (!summed.empty())
      counts_.edge_array_tile[at(tensor)] = static_cast<std::int64_t>(summed.size());
    seen_by_array_.insert(summed.begin(), summed.end());
  }

  void finish_outputs() {
    counts_.at(Level::pe_buffer, Tensor::input).reads = counts_.macs;
    counts_.at(Level::pe_buffer, Tensor::weights).reads = counts_.macs;
    Accesses& output = counts_.at(Level::pe_buffer, Tensor::output);
    output.updates = counts_.macs;
    // Each sum a PE starts anew needs no read; each drain is one.
    const std::int64_t started_from_zero = drains_ - partial_sums_back_;
    output.reads = counts_.macs - started_from_zero + drains_;
  }

  const Layer& layer_;
  const Mapping& mapping_;
  Extents extents_;
  Counts counts_;
  std::array<Resident, 3> shared_;
  std::array<std::map<Extents, Resident>, 3> pes_;
  std::array<std::optional<std::vector<std::int64_t>>, 3> array_indices_;
  std::array<bool, 3> first_sent_{};
  Words seen_by_dram_, seen_by_array_;
  std::int64_t drains_ = 0, partial_sums_back_ = 0;
};

}  // namespace cosearch::accel::test
