#include "codesign/search/option_fields.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "core/user_error.h"

namespace cosearch::codesign {
namespace {

// The whole of `text` as a number; false when it is none, or does not fit.
template <class Number>
bool read_number(const std::string& text, Number& value) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stopped != end) return false;
  value = number;
  return true;
}

}  // namespace

std::string parse_option(const std::string& text, std::uint64_t& value) {
  return read_number(text, value) ? "" : "a whole number, 0 or more";
}

std::string parse_option(const std::string& text, double& value) {
  double number = 0;
  if (!read_number(text, number) || !std::isfinite(number)) return "a number";
  value = number;
  return "";
}

std::string parse_option(const std::string& text, std::optional<double>& value) {
  if (text == "none") {
    value.reset();
    return "";
  }
  double number = 0;
  if (!parse_option(text, number).empty()) return "a number, or none";
  value = number;
  return "";
}

std::string parse_option(const std::string& text, Metric& value) {
  const std::optional<Metric> metric = metric_named(text);
  if (!metric) return "a metric" + did_you_mean(text, metric_names());
  value = *metric;
  return "";
}

std::string parse_option(const std::string& text, std::optional<std::uint32_t>& value) {
  if (text == "auto") {
    value.reset();
    return "";
  }
  std::uint32_t index = 0;
  if (!read_number(text, index)) return "an index counted from 0, or auto";
  value = index;
  return "";
}

std::string parse_option(const std::string& text, std::string& value) {
  value = text;
  return "";
}

std::string option_text(std::uint64_t value) { return fmt::to_string(value); }
std::string option_text(double value) { return fmt::format("{}", value); }
std::string option_text(const std::optional<double>& value) {
  return value ? option_text(*value) : "none";
}
std::string option_text(Metric value) { return std::string(info_of(value).name); }
std::string option_text(const std::optional<std::uint32_t>& value) {
  return value ? fmt::to_string(*value) : "auto";
}
std::string option_text(const std::string& value) { return value; }

OptionProblem unknown_option(const std::string& name, const std::vector<std::string>& known) {
  return {name,
          fmt::format("unknown option '{}'{}", name,
                      known.empty() ? " (this strategy has none)" : did_you_mean(name, known))};
}

void throw_problems(const std::vector<OptionProblem>& problems) {
  std::string message;
  for (const OptionProblem& problem : problems) {
    if (!message.empty()) message += "; ";
    message += problem.message;
  }
  throw UserError(message);
}

}  // namespace cosearch::codesign
