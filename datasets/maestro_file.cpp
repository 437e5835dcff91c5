#include "datasets/maestro_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <map>
#include <utility>

#include "datasets/file_bytes.h"
#include "datasets/utf8.h"

namespace cosearch::datasets {
namespace {

// Deeper parentheses are no size of a tile, and the parser recurses once for each.
constexpr int kDeepestParentheses = 32;
constexpr std::size_t kMostLayers = 100'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

struct Token {
  std::string_view text;  ///< empty at the end of the file
  std::size_t offset = 0;
};

/// Cuts text into words, numbers and single marks; comments run from // to the end of the line.
class Tokens {
 public:
  Tokens(std::string_view text, const std::string& file) : text_(text), file_(file) {
    for (std::size_t i = 0; i < text.size(); ++i)
      if (text[i] == '\n') line_starts_.push_back(i + 1);
    skip();
  }

  [[nodiscard]] const Token& next() const { return next_; }
  Token take() { return advance(end_of_token()); }

  /// The name of a network or layer: everything up to a space or a brace ("Conv2d-1",
  /// "torchvision.models.vgg16").
  Token take_name() {
    std::size_t end = next_.offset;
    while (end < text_.size() && !is_space(text_[end]) && text_[end] != '{' && text_[end] != '}')
      ++end;
    return advance(end);
  }

  [[nodiscard]] SourceLocation place(const Token& token) const {
    const auto after = std::ranges::upper_bound(line_starts_, token.offset);
    const std::size_t start = *(after - 1);
    const std::size_t end = after == line_starts_.end() ? text_.size() : *after - 1;
    return {file_, static_cast<int>(after - line_starts_.begin()),
            column_in_characters(text_.substr(start, end - start), token.offset - start)};
  }

  [[noreturn]] void fail(const Token& token, const std::string& problem) const {
    throw UserError(place(token), problem);
  }
  [[noreturn]] void fail_expecting(const std::string& expected) const {
    if (next_.text.empty()) fail(next_, fmt::format("the file ends here; expected {}", expected));
    fail(next_, fmt::format("found '{}'; expected {}", next_.text, expected));
  }

  bool take_if(std::string_view mark) {
    if (next_.text != mark) return false;
    take();
    return true;
  }
  Token expect(std::string_view mark, const std::string& after) {
    if (next_.text != mark) fail_expecting(fmt::format("'{}' after {}", mark, after));
    return take();
  }

  [[nodiscard]] std::string_view between(const Token& first, std::size_t end) const {
    return text_.substr(first.offset, end - first.offset);
  }
  [[nodiscard]] std::size_t end_of_last() const { return end_of_last_; }

 private:
  [[nodiscard]] std::size_t end_of_token() const {
    std::size_t end = next_.offset;
    if (end == text_.size()) return end;
    if (is_digit(text_[end])) {
      while (end < text_.size() && is_digit(text_[end])) ++end;
    } else if (is_letter(text_[end])) {
      while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) ++end;
      if (end < text_.size() && text_[end] == '\'') ++end;  // Y' and X' count outputs
    } else {
      ++end;
    }
    return end;
  }

  Token advance(std::size_t end) {
    const Token taken{between(next_, end), next_.offset};
    end_of_last_ = end;
    position_ = end;
    skip();
    return taken;
  }

  void skip() {
    while (position_ < text_.size()) {
      if (is_space(text_[position_])) {
        ++position_;
      } else if (text_.substr(position_).starts_with("//")) {
        position_ = std::min(text_.find('\n', position_), text_.size());
      } else {
        break;
      }
    }
    next_.offset = position_;
    next_.text = between(next_, end_of_token());
  }

  std::string_view text_;
  const std::string& file_;
  std::vector<std::size_t> line_starts_{0};
  std::size_t position_ = 0, end_of_last_ = 0;
  Token next_;
};

std::int64_t number_of(const Tokens& tokens, const Token& token) {
  std::int64_t value = 0;
  const char* end = token.text.data() + token.text.size();
  const auto [stop, error] = std::from_chars(token.text.data(), end, value);
  if (error != std::errc{} || stop != end || value > kLargestMaestroNumber)
    tokens.fail(token, fmt::format("{} is too large; at most {} is accepted", token.text,
                                   kLargestMaestroNumber));
  return value;
}

class NetworkParser {
 public:
  NetworkParser(std::string_view text, std::string name) : tokens_(text, network_.file) {
    network_.file = std::move(name);
  }

  MaestroNetwork parse() && {
    while (tokens_.next().text == "Constant") read_constant();
    if (tokens_.next().text != "Network")
      tokens_.fail_expecting("'Constant' or 'Network' (hardware goes into a file of its own)");
    tokens_.take();
    network_.name = read_name("the network");
    tokens_.expect("{", "the name of a network");
    while (tokens_.next().text == "Layer") read_layer();
    if (!tokens_.take_if("}")) tokens_.fail_expecting("'Layer' or '}' in a network");
    if (!tokens_.next().text.empty()) tokens_.fail_expecting("nothing: a file holds one network");
    return std::move(network_);
  }

 private:
  std::string read_name(std::string_view of_what) {
    const Token token = tokens_.take_name();
    if (token.text.empty()) tokens_.fail_expecting(fmt::format("the name of {}", of_what));
    return std::string(token.text);
  }

  void read_constant() {
    tokens_.take();
    const Token name = tokens_.next();
    if (name.text.empty() || !is_letter(name.text[0]))
      tokens_.fail_expecting("the name of a constant");
    tokens_.take();
    if (constants_.contains(name.text))
      tokens_.fail(name, fmt::format("the constant '{}' is already given", name.text));
    const std::int64_t value = read_expression("a number");
    tokens_.expect(";", "a constant");
    constants_.emplace(name.text, value);
  }

  void read_layer() {
    tokens_.take();
    if (network_.layers.size() == kMostLayers)
      tokens_.fail(tokens_.next(), fmt::format("more than {} layers", kMostLayers));
    layer_ = {};
    const SourceLocation place = tokens_.place(tokens_.next());
    layer_.line = place.line;
    layer_.column = place.column;
    layer_.name = read_name("a layer");
    tokens_.expect("{", "the name of a layer");
    const Token start = tokens_.next();
    while (!tokens_.take_if("}")) read_part();
    if (layer_.type.empty()) tokens_.fail(start, fmt::format("layer {} has no Type", layer_.name));
    network_.layers.push_back(std::move(layer_));
  }

  void read_part() {
    const std::string_view word = tokens_.next().text;
    if (word == "Type") {
      read_type();
    } else if (word == "Stride") {
      tokens_.take();
      read_stride();
    } else if (word == "Dimensions") {
      tokens_.take();
      read_dimensions();
    } else if (word == "Dataflow") {
      tokens_.take();
      read_dataflow();
    } else {
      tokens_.fail_expecting("Type, Stride, Dimensions, Dataflow or '}' in a layer");
    }
  }

  void read_type() {
    const Token word = tokens_.take();
    if (!layer_.type.empty()) tokens_.fail(word, "a second Type in one layer");
    tokens_.expect(":", "Type");
    const Token type = tokens_.next();
    if (type.text.empty() || !is_letter(type.text[0]))
      tokens_.fail_expecting("a type of layer, as CONV");
    tokens_.take();
    const SourceLocation place = tokens_.place(type);
    layer_.type = type.text;
    layer_.type_line = place.line;
    layer_.type_column = place.column;
  }

  /// `{ NAME: NUMBER, ... }`; the colon and the comma may be left out, as some shipped files do.
  template <class Take>
  void read_named_numbers(const std::string& what, Take take) {
    tokens_.expect("{", what);
    while (!tokens_.take_if("}")) {
      const Token name = tokens_.next();
      if (name.text.empty() || !is_letter(name.text[0]))
        tokens_.fail_expecting(fmt::format("a name or '}}' in {}", what));
      tokens_.take();
      tokens_.take_if(":");
      const Token value = tokens_.next();
      const std::int64_t number = read_expression("a number");
      if (number < 1)
        tokens_.fail(value, fmt::format("{} is {}; at least 1 is expected", name.text, number));
      take(name, number);
      tokens_.take_if(",");
    }
  }

  void read_stride() {
    read_named_numbers("Stride", [&](const Token& name, std::int64_t number) {
      if (name.text == "X")
        layer_.stride_x = number;
      else if (name.text == "Y")
        layer_.stride_y = number;
      else
        tokens_.fail(name, fmt::format("'{}' has no stride; expected X or Y", name.text));
    });
  }

  void read_dimensions() {
    read_named_numbers("Dimensions", [&](const Token& name, std::int64_t number) {
      std::optional<std::int64_t>& slot = layer_.dimensions.at(dimension_index(name));
      // The U-Net that comes with MAESTRO says N: 1 twice in one layer.
      if (slot && *slot != number)
        tokens_.fail(name, fmt::format("{} is already {}", name.text, *slot));
      slot = number;
    });
  }

  std::size_t dimension_index(const Token& name) const {
    const auto found = std::ranges::find(kMaestroDimensions, name.text);
    if (found == kMaestroDimensions.end())
      tokens_.fail(name, fmt::format("no dimension '{}'; expected one of N, G, K, C, R, S, Y, X, M",
                                     name.text));
    return static_cast<std::size_t>(found - kMaestroDimensions.begin());
  }

  void read_dataflow() {
    tokens_.expect("{", "Dataflow");
    while (!tokens_.take_if("}")) read_directive();
  }

  void read_directive() {
    const Token word = tokens_.next();
    MaestroDirective directive;
    if (word.text == "SpatialMap")
      directive.kind = MaestroDirective::Kind::spatial_map;
    else if (word.text == "TemporalMap")
      directive.kind = MaestroDirective::Kind::temporal_map;
    else if (word.text == "Cluster")
      directive.kind = MaestroDirective::Kind::cluster;
    else
      tokens_.fail_expecting("SpatialMap, TemporalMap, Cluster or '}' in a dataflow");
    tokens_.take();
    const SourceLocation place = tokens_.place(word);
    directive.line = place.line;
    directive.column = place.column;
    if (directive.kind == MaestroDirective::Kind::cluster)
      read_cluster(directive);
    else
      read_map(directive);
    directive.text = tokens_.between(word, tokens_.end_of_last());
    tokens_.expect(";", "a directive");
    layer_.dataflow.push_back(std::move(directive));
  }

  std::int64_t read_extent(const std::string& what) {
    const Token start = tokens_.next();
    const std::int64_t value = read_expression(what);
    if (value < 1)
      tokens_.fail(start, fmt::format("{} is {}; at least 1 is expected", what, value));
    return value;
  }

  void read_map(MaestroDirective& directive) {
    tokens_.expect("(", "a map");
    directive.size = read_extent("the size of a map");
    tokens_.expect(",", "the size of a map");
    directive.offset = read_extent("the offset of a map");
    tokens_.expect(")", "the offset of a map");
    const Token name = tokens_.next();
    if (name.text.empty() || !is_letter(name.text[0]))
      tokens_.fail_expecting("a dimension after a map");
    tokens_.take();
    if (name.text != "Y'" && name.text != "X'") dimension_index(name);
    directive.dimension = name.text;
  }

  void read_cluster(MaestroDirective& directive) {
    tokens_.expect("(", "Cluster");
    directive.size = directive.offset = read_extent("the size of a cluster");
    tokens_.expect(",", "the size of a cluster");
    const Token unit = tokens_.next();
    if (unit.text != "P" && unit.text != "L")
      tokens_.fail_expecting("P (physical) or L (logical) after the size of a cluster");
    directive.dimension = tokens_.take().text;
    tokens_.expect(")", "the unit of a cluster");
  }

  // expression = term (('+' | '-') term)*; term = factor ('*' factor)*;
  // factor = number | constant | 'Sz' '(' dimension ')' | '(' expression ')'
  std::int64_t read_expression(const std::string& what) {
    std::int64_t sum = read_term(what);
    while (tokens_.next().text == "+" || tokens_.next().text == "-") {
      const Token sign = tokens_.take();
      const std::int64_t term = read_term(what);
      sum = bounded(sign, sign.text == "+" ? sum + term : sum - term);
    }
    return sum;
  }

  std::int64_t read_term(const std::string& what) {
    std::int64_t product = read_factor(what);
    while (tokens_.next().text == "*") {
      const Token sign = tokens_.take();
      product = bounded(sign, product * read_factor(what));
    }
    return product;
  }

  std::int64_t read_factor(const std::string& what) {
    const Token token = tokens_.next();
    if (token.text == "(") {
      if (++depth_ > kDeepestParentheses)
        tokens_.fail(token,
                     fmt::format("more than {} parentheses in one another", kDeepestParentheses));
      tokens_.take();
      const std::int64_t value = read_expression(what);
      tokens_.expect(")", "an expression in parentheses");
      --depth_;
      return value;
    }
    if (token.text == "Sz") return read_size_of();
    if (!token.text.empty() && is_digit(token.text[0])) {
      tokens_.take();
      return number_of(tokens_, token);
    }
    const auto constant = constants_.find(token.text);
    if (constant == constants_.end())
      tokens_.fail_expecting(what + ": a number, Sz(DIMENSION) or the name of a constant");
    tokens_.take();
    return constant->second;
  }

  std::int64_t read_size_of() {
    tokens_.take();
    tokens_.expect("(", "Sz");
    const Token name = tokens_.next();
    const std::optional<std::int64_t> size = layer_.dimensions.at(dimension_index(name));
    if (!size)
      tokens_.fail(name, fmt::format("Sz({0}) before Dimensions gives {0} of layer {1}", name.text,
                                     layer_.name));
    tokens_.take();
    tokens_.expect(")", "the dimension in Sz(...)");
    return *size;
  }

  std::int64_t bounded(const Token& place, std::int64_t value) const {
    if (std::abs(value) > kLargestMaestroNumber)
      tokens_.fail(place, fmt::format("this comes to {}; at most {} is accepted", value,
                                      kLargestMaestroNumber));
    return value;
  }

  MaestroNetwork network_;
  Tokens tokens_;
  MaestroLayer layer_;
  std::map<std::string, std::int64_t, std::less<>> constants_;
  int depth_ = 0;
};

struct HardwareField {
  std::string_view name, older_name;
  std::optional<std::int64_t> MaestroHardware::*optional_number;  ///< null: the number of PEs
};

constexpr std::array kHardwareFields{
    HardwareField{"num_pes", "NumPEs", nullptr},
    HardwareField{"l1_size_cstr", "L1Size", &MaestroHardware::l1_size},
    HardwareField{"l2_size_cstr", "L2Size", &MaestroHardware::l2_size},
    HardwareField{"noc_bw_cstr", "NoC_BW", &MaestroHardware::noc_bandwidth},
    HardwareField{"offchip_bw_cstr", "OffChip_BW", &MaestroHardware::offchip_bandwidth},
};

const HardwareField& hardware_field(const Tokens& tokens, const Token& name) {
  std::vector<std::string> known;
  for (const HardwareField& field : kHardwareFields) {
    if (field.name == name.text || field.older_name == name.text) return field;
    known.emplace_back(field.name);
  }
  tokens.fail(name, fmt::format("no setting '{}'{}", name.text, did_you_mean(name.text, known)));
}

class HardwareParser {
 public:
  HardwareParser(std::string_view text, std::string name) : tokens_(text, hardware_.file) {
    hardware_.file = std::move(name);
  }

  MaestroHardware parse() && {
    while (!tokens_.next().text.empty()) read_setting();
    if (!std::ranges::count(seen_, "num_pes")) tokens_.fail_expecting("num_pes: NUMBER");
    return std::move(hardware_);
  }

 private:
  void read_setting() {
    const Token name = tokens_.next();
    if (!is_letter(name.text[0])) tokens_.fail_expecting("the name of a setting, as num_pes");
    tokens_.take();
    tokens_.expect(":", "the name of a setting");
    const Token value = tokens_.next();
    if (value.text.empty() || !is_digit(value.text[0])) tokens_.fail_expecting("a number");
    tokens_.take();
    const std::int64_t number = number_of(tokens_, value);
    if (number < 1)
      tokens_.fail(value, fmt::format("{} is {}; at least 1 is expected", name.text, number));
    // Every wire of MAESTRO's network is one hop long here; the number of hops costs nothing.
    if (name.text == "NoC_NumHops" || name.text == "noc_num_hops") return;
    store(name, number);
  }

  void store(const Token& name, std::int64_t number) {
    const HardwareField& field = hardware_field(tokens_, name);
    if (std::ranges::count(seen_, field.name))
      tokens_.fail(name, fmt::format("{} is already given", field.name));
    seen_.push_back(field.name);
    if (field.optional_number)
      hardware_.*field.optional_number = number;
    else
      hardware_.num_pes = number;
  }

  MaestroHardware hardware_;
  Tokens tokens_;
  std::vector<std::string_view> seen_;
};

std::string_view word_of(MaestroDirective::Kind kind) {
  switch (kind) {
    case MaestroDirective::Kind::spatial_map:
      return "SpatialMap";
    case MaestroDirective::Kind::temporal_map:
      return "TemporalMap";
    case MaestroDirective::Kind::cluster:
      return "Cluster";
  }
  return "";
}

std::string to_text(const MaestroDirective& directive) {
  if (directive.kind == MaestroDirective::Kind::cluster)
    return fmt::format("Cluster({}, {});", directive.size, directive.dimension);
  return fmt::format("{}({},{}) {};", word_of(directive.kind), directive.size, directive.offset,
                     directive.dimension);
}

std::string to_text(const MaestroLayer& layer) {
  std::string dimensions;
  for (std::size_t i = 0; i < kMaestroDimensions.size(); ++i)
    if (layer.dimensions[i])
      dimensions += fmt::format("{}{}: {}", dimensions.empty() ? "" : ", ", kMaestroDimensions[i],
                                *layer.dimensions[i]);
  std::string text = fmt::format(
      "  Layer {} {{\n    Type: {}\n    Stride {{ X: {}, Y: {} }}\n    Dimensions {{ {} }}\n",
      layer.name, layer.type, layer.stride_x, layer.stride_y, dimensions);
  if (!layer.dataflow.empty()) {
    text += "    Dataflow {\n";
    for (const MaestroDirective& directive : layer.dataflow)
      text += "      " + to_text(directive) + "\n";
    text += "    }\n";
  }
  return text + "  }\n";
}

}  // namespace

std::optional<std::int64_t> MaestroLayer::dimension(std::string_view name) const {
  const auto found = std::ranges::find(kMaestroDimensions, name);
  if (found == kMaestroDimensions.end()) throw UserError(fmt::format("no dimension '{}'", name));
  return dimensions.at(static_cast<std::size_t>(found - kMaestroDimensions.begin()));
}

MaestroNetwork read_maestro_network(const std::filesystem::path& path) {
  return parse_maestro_network(read_file(path), path.string());
}

MaestroNetwork parse_maestro_network(std::string_view text, std::string name) {
  check_utf8_text(text, name);
  return NetworkParser(text, std::move(name)).parse();
}

MaestroHardware read_maestro_hardware(const std::filesystem::path& path) {
  return parse_maestro_hardware(read_file(path), path.string());
}

MaestroHardware parse_maestro_hardware(std::string_view text, std::string name) {
  check_utf8_text(text, name);
  return HardwareParser(text, std::move(name)).parse();
}

std::string to_text(const MaestroNetwork& network) {
  std::string text = fmt::format("Network {} {{\n", network.name);
  for (const MaestroLayer& layer : network.layers) text += to_text(layer);
  return text + "}\n";
}

std::string to_text(const MaestroHardware& hardware) {
  std::string text = fmt::format("num_pes: {}\n", hardware.num_pes);
  for (const HardwareField& field : kHardwareFields)
    if (field.optional_number && hardware.*field.optional_number)
      text += fmt::format("{}: {}\n", field.name, *(hardware.*field.optional_number));
  return text;
}

}  // namespace cosearch::datasets
