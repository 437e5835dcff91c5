#include "codesign/nest_text.h"

#include <fmt/format.h>

#include <array>

#include "accel/dimension.h"
#include "datasets/quantity_text.h"

namespace cosearch::codesign {
namespace {

std::string grouped_number(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

class NestWriter {
 public:
  NestWriter(const accel::LoopNest& nest, const Layer& layer, const accel::Machine& machine)
      : nest_(nest), layer_(layer), machine_(machine), piece_(accel::extents_of(layer)) {}

  std::string write() {
    for (std::size_t i = 0; i < nest_.levels.size(); ++i) {
      if (!nest_.levels[i].keep.empty()) {
        add_line(level_line(i));
        ++depth_;
      }
      for (const accel::Loop& loop : nest_.levels[i].loops) add_loop(loop, machine_.levels[i]);
    }
    add_line(layer_.is_memory_bound() ? "vector lanes" : "multiply and add");
    return std::move(text_);
  }

 private:
  void add_line(const std::string& line) {
    text_.append(2 * depth_, ' ');
    text_ += line + "\n";
  }

  [[nodiscard]] std::string level_line(std::size_t i) const {
    const accel::StorageLevel& level = machine_.levels[i];
    if (layer_.is_memory_bound()) return level.name + " passes on" + tensor_names(i);
    const auto words = accel::tile_words(nest_, layer_, machine_, i);
    std::string line = level.name + " holds";
    const char* separator = " ";
    for (const Tensor tensor : kTensors) {
      const std::int64_t count = words[static_cast<std::size_t>(tensor)];
      if (count == 0) continue;
      line += fmt::format("{}{} {} {}", separator, name_of(tensor), grouped_number(count),
                          count == 1 ? "word" : "words");
      separator = ", ";
    }
    return line + occupation(i, words);
  }

  [[nodiscard]] std::string tensor_names(std::size_t i) const {
    std::string names;
    for (const Tensor tensor : kTensors)
      if (nest_.levels[i].keep.has(tensor))
        names += (names.empty() ? " " : ", ") + std::string(name_of(tensor));
    return names;
  }

  /// Of the capacity that tensors share; of partitions there is one for each tensor.
  [[nodiscard]] std::string occupation(std::size_t i,
                                       const std::array<std::int64_t, 3>& words) const {
    const accel::StorageLevel& level = machine_.levels[i];
    if (!level.capacity_bits || *level.capacity_bits == 0) return "";
    std::int64_t bits = 0;
    for (std::size_t tensor = 0; tensor < words.size(); ++tensor)
      if (!level.partition_bits[tensor]) bits += level.buffers * words[tensor] * level.word_bits;
    if (bits == 0) return "";
    const double share = static_cast<double>(bits) / static_cast<double>(*level.capacity_bits);
    const std::string buffers =
        level.buffers == 1 ? "" : fmt::format("{} buffers, ", level.buffers);
    return fmt::format(" ({}{:.1f} % of {})", buffers, 100 * share,
                       datasets::format_bytes({*level.capacity_bits / 8}));
  }

  void add_loop(const accel::Loop& loop, const accel::StorageLevel& level) {
    std::int64_t& piece = piece_[index_of(loop.dimension)];
    const std::int64_t whole = piece;
    piece = loop.tile;
    if (whole <= loop.tile) return;
    std::string line;
    if (loop.is_spatial())
      line = fmt::format("in parallel on {}: ",
                         level.fanout[static_cast<std::size_t>(loop.axis)].axis);
    add_line(line +
             fmt::format("for {} in 0..{} by {}", name_of(loop.dimension), whole, loop.tile));
    ++depth_;
  }

  const accel::LoopNest& nest_;
  const Layer& layer_;
  const accel::Machine& machine_;
  accel::Extents piece_;
  std::size_t depth_ = 0;
  std::string text_;
};

}  // namespace

std::string nest_text(const accel::LoopNest& nest, const Layer& layer,
                      const accel::Machine& machine) {
  return NestWriter(nest, layer, machine).write();
}

}  // namespace cosearch::codesign
