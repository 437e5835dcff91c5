#include "codesign/file_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "core/user_error.h"
#include "datasets/quantity_text.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number))
    return std::nullopt;
  return number;
}

/// A whole number where it is one.
json as_json(double number) {
  constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
  if (number == std::floor(number) && std::abs(number) <= kExactIntegers)
    return static_cast<std::int64_t>(number);
  return number;
}

std::string as_text(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  return value.dump();
}

/// Evaluates what stands within `${` and `}`: sums of products of numbers and parameters.
class Expression {
 public:
  Expression(std::string_view text, const json& parameters, const SourceLocation& where)
      : whole_(text), rest_(text), parameters_(parameters), where_(where) {}

  [[nodiscard]] json value() {
    skip_spaces();
    const std::string_view name = word(rest_);
    if (!name.empty() && trimmed(whole_) == name) return parameter(name);  // may be text
    const double result = sum();
    if (!rest_.empty()) fail(fmt::format("unexpected '{}'", rest_));
    if (!std::isfinite(result)) fail("is not a finite number");
    return as_json(result);
  }

 private:
  static std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
  }

  /// The name that `text` begins with, or nothing.
  static std::string_view word(std::string_view text) {
    std::size_t length = 0;
    while (length < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[length])) != 0 || text[length] == '_'))
      ++length;
    const bool name = length > 0 && std::isdigit(static_cast<unsigned char>(text.front())) == 0;
    return name ? text.substr(0, length) : std::string_view();
  }

  [[noreturn]] void fail(const std::string& problem) const {
    throw UserError(where_, fmt::format("${{{}}}: {}", whole_, problem));
  }

  void skip_spaces() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }

  bool take(char symbol) {
    skip_spaces();
    if (rest_.empty() || rest_.front() != symbol) return false;
    rest_.remove_prefix(1);
    return true;
  }

  [[nodiscard]] const json& parameter(std::string_view name) const {
    const auto found = parameters_.find(name);
    if (found != parameters_.end()) return *found;
    std::vector<std::string> known;
    for (const auto& [key, value] : parameters_.items()) known.push_back(key);
    if (known.empty()) fail(fmt::format("no parameter '{}': the file declares none", name));
    fail(fmt::format("no parameter '{}'{}", name, did_you_mean(name, known)));
  }

  double sum() {
    double total = product();
    for (;;) {
      if (take('+'))
        total += product();
      else if (take('-'))
        total -= product();
      else
        return total;
    }
  }

  double product() {
    double total = factor();
    for (;;) {
      if (take('*')) {
        total *= factor();
      } else if (take('/')) {
        const double divisor = factor();
        if (divisor == 0) fail("division by zero");
        total /= divisor;
      } else {
        return total;
      }
    }
  }

  double factor() {
    if (take('(')) {
      // Each parenthesis is one call deeper.
      if (++depth_ > kDeepest) fail("too many parentheses");
      const double inner = sum();
      --depth_;
      if (!take(')')) fail("')' is missing");
      return inner;
    }
    skip_spaces();
    if (const std::string_view name = word(rest_); !name.empty()) {
      const json& value = parameter(name);
      if (!value.is_number())
        fail(fmt::format("parameter '{}' = '{}' is text, which cannot be calculated with", name,
                         as_text(value)));
      rest_.remove_prefix(name.size());
      skip_spaces();
      return value.get<double>();
    }
    double number = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (error != std::errc{}) fail("a parameter or a number is missing");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    skip_spaces();
    return number;
  }

  static constexpr int kDeepest = 32;
  std::string_view whole_, rest_;
  const json& parameters_;
  const SourceLocation& where_;
  int depth_ = 0;
};

json filled_in(const std::string& text, const json& parameters, const SourceLocation& where) {
  std::string result;
  for (std::size_t start = 0;;) {
    const std::size_t open = text.find("${", start);
    if (open == std::string::npos) return result + text.substr(start);
    const std::size_t close = text.find('}', open);
    if (close == std::string::npos)
      throw UserError(where, fmt::format("'{}': '}}' is missing after '${{'", text));
    const std::string_view inside = std::string_view(text).substr(open + 2, close - open - 2);
    const json value = Expression(inside, parameters, where).value();
    if (open == 0 && close + 1 == text.size()) return value;
    result += text.substr(start, open - start) + as_text(value);
    start = close + 1;
  }
}

void fill_in(json& value, const std::string& pointer, const json& parameters,
             const datasets::Document& document) {
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    if (text.find("${") != std::string::npos)
      value = filled_in(text, parameters, document.location_of(pointer));
  } else if (value.is_object()) {
    for (const auto& [key, child] : value.items())
      fill_in(child, datasets::child_pointer(pointer, key), parameters, document);
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i)
      fill_in(value[i], datasets::child_pointer(pointer, std::to_string(i)), parameters, document);
  }
}

void check_defaults(const json& parameters, const datasets::Document& document) {
  for (const auto& [name, value] : parameters.items())
    if (!value.is_number() && !value.is_string())
      throw UserError(
          document.location_of(datasets::child_pointer("/parameters", name)),
          fmt::format("parameter '{}' = {}: expected a number or text", name, value.dump()));
}

void set_parameter(json& parameters, const std::string& name, const std::string& text,
                   const std::string& file) {
  if (!parameters.contains(name)) {
    std::vector<std::string> known;
    for (const auto& [key, value] : parameters.items()) known.push_back(key);
    throw UserError(fmt::format("{}: no parameter '{}'{}", file, name,
                                known.empty() ? ": it has none" : did_you_mean(name, known)));
  }
  json& value = parameters[name];
  if (value.is_string()) {
    value = text;
    return;
  }
  const std::optional<double> number = number_in(text);
  if (!number)
    throw UserError(fmt::format("{}: parameter {} = '{}': expected a number, as its default {}",
                                file, name, text, as_text(value)));
  value = as_json(*number);
}

}  // namespace

double number_in_unit(const std::string& text, std::string_view unit) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  if (unit.empty()) {
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    return error == std::errc{} && rest == end ? number : kUnknown;
  }
  // The readers' refusals are slow, and most texts are of other units.
  const std::string_view last = unit == "bytes" ? "B" : unit == "Hz" ? unit : "B/cycle";
  if (!text.ends_with(last)) return kUnknown;
  try {
    if (unit == "bytes") return static_cast<double>(datasets::parse_bytes(text).value);
    if (unit == "bytes/cycle") return datasets::parse_bytes_per_cycle(text);
    return datasets::parse_hertz(text).value;
  } catch (const UserError&) {
    return kUnknown;
  }
}

std::pair<std::string, ParameterValues> split_parameters(const std::string& what) {
  const std::size_t equals = what.find('=');
  const std::size_t colon =
      equals == std::string::npos ? std::string::npos : what.rfind(':', equals);
  if (colon == std::string::npos) return {what, {}};
  ParameterValues values;
  for (std::size_t start = colon + 1; start <= what.size();) {
    const std::size_t end = std::min(what.find(',', start), what.size());
    const std::string pair = what.substr(start, end - start);
    const std::size_t middle = pair.find('=');
    if (middle == std::string::npos || middle == 0 || middle + 1 == pair.size())
      throw UserError(fmt::format("'{}' in '{}': expected parameter=value", pair, what));
    const std::string name = pair.substr(0, middle);
    if (std::ranges::any_of(values, [&](const auto& value) { return value.first == name; }))
      throw UserError(fmt::format("'{}': parameter '{}' is given twice", what, name));
    values.emplace_back(name, pair.substr(middle + 1));
    start = end + 1;
  }
  return {what.substr(0, colon), values};
}

void fill_in_parameters(datasets::Document& document, const ParameterValues& values) {
  if (!document.value.is_object()) return;  // the schema will say so
  json parameters = json::object();
  if (document.value.contains("parameters")) parameters = document.value["parameters"];
  if (!parameters.is_object()) return;
  check_defaults(parameters, document);
  for (const auto& [name, text] : values) set_parameter(parameters, name, text, document.file);
  for (const auto& [key, value] : document.value.items())
    if (key != "parameters") fill_in(value, datasets::child_pointer("", key), parameters, document);
  if (!parameters.empty()) document.value["parameters"] = parameters;
}

}  // namespace cosearch::codesign
