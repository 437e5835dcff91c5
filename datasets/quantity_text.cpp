#include "datasets/quantity_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace cosearch::datasets {
namespace {

struct Unit {
  const char* name;
  double scale;  ///< in the unit of the result
};

// Smallest first, so that a formatter can take the last one that is not too large.
constexpr Unit kBytes[] = {{"B", 1},        {"kB", 1e3},     {"KiB", 0x1p10},
                           {"MB", 1e6},     {"MiB", 0x1p20}, {"GB", 1e9},
                           {"GiB", 0x1p30}, {"TB", 1e12},    {"TiB", 0x1p40}};
constexpr Unit kBinaryBytes[] = {
    {"B", 1}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40}};
constexpr Unit kBits[] = {{"bit", 1},      {"bits", 1},  {"B", 8},        {"kB", 8e3},
                          {"KiB", 0x1p13}, {"MB", 8e6},  {"MiB", 0x1p23}, {"GB", 8e9},
                          {"GiB", 0x1p33}, {"TB", 8e12}, {"TiB", 0x1p43}};
constexpr Unit kWords[] = {{"word", 1}, {"words", 1}};
constexpr Unit kMilliwatts[] = {{"nW", 1e-6}, {"uW", 1e-3}, {"mW", 1}, {"W", 1e3}};
constexpr Unit kPicojoulesPerBit[] = {
    {"aJ/bit", 1e-6}, {"fJ/bit", 1e-3}, {"pJ/bit", 1}, {"nJ/bit", 1e3}};
constexpr Unit kHertz[] = {{"Hz", 1}, {"kHz", 1e3}, {"MHz", 1e6}, {"GHz", 1e9}};
constexpr Unit kPicojoules[] = {{"aJ", 1e-6}, {"fJ", 1e-3}, {"pJ", 1},  {"nJ", 1e3},
                                {"uJ", 1e6},  {"mJ", 1e9},  {"J", 1e12}};
constexpr Unit kSquareMillimetres[] = {{"um2", 1e-6}, {"mm2", 1}, {"cm2", 1e2}};
constexpr Unit kBytesPerCycle[] = {
    {"B/cycle", 1}, {"kB/cycle", 1e3}, {"KiB/cycle", 0x1p10}, {"MiB/cycle", 0x1p20}};
constexpr Unit kCycles[] = {{"", 1},          {"cycle", 1},     {"cycles", 1},
                            {"kcycles", 1e3}, {"Mcycles", 1e6}, {"Gcycles", 1e9}};
constexpr Unit kShownCycles[] = {
    {"cycles", 1}, {"kcycles", 1e3}, {"Mcycles", 1e6}, {"Gcycles", 1e9}};
constexpr Unit kSeconds[] = {{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1},
                             {"min", 60},  {"h", 3600},  {"d", 86400}};

[[noreturn]] void fail(const SourceLocation& where, const std::string& message) {
  if (where.file.empty()) throw UserError(message);
  throw UserError(where, message);
}

std::vector<std::string> names_of(std::span<const Unit> units) {
  std::vector<std::string> names;
  for (const Unit& unit : units)
    if (unit.name[0] != '\0') names.emplace_back(unit.name);
  return names;
}

// What is wrong with `unit` when it is none of `units`.
std::string unit_problem(std::string_view unit, std::span<const Unit> units) {
  const std::vector<std::string> known = names_of(units);
  if (unit.empty())
    return fmt::format("the unit is missing; expected one of: {}", fmt::join(known, ", "));
  if (unit == "KB" || unit == "K" || unit == "KB/cycle")
    return fmt::format("'{}' may mean 1000 or 1024; expected one of: {}", unit,
                       fmt::join(known, ", "));
  return fmt::format("unknown unit '{}'{}; expected one of: {}", unit,
                     closest_word(unit, known).empty() ? "" : did_you_mean(unit, known),
                     fmt::join(known, ", "));
}

double parse(std::string_view text, std::span<const Unit> units, std::string_view what,
             const SourceLocation& where) {
  const std::string shown = fmt::format("'{}' as {}: ", text, what);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::invalid_argument)
    fail(where, fmt::format("{}expected a number and a unit, one of: {}", shown,
                            fmt::join(names_of(units), ", ")));
  if (error != std::errc{} || !std::isfinite(number)) fail(where, shown + "not a finite number");
  if (std::signbit(number)) fail(where, shown + "must not be negative");
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  unit.remove_prefix(std::min(unit.find_first_not_of(' '), unit.size()));
  for (const Unit& known : units) {
    if (unit != known.name) continue;
    const double value = number * known.scale;
    if (!std::isfinite(value)) fail(where, shown + "not a finite number");
    return value;
  }
  fail(where, shown + unit_problem(unit, units));
}

std::int64_t whole(double value, std::string_view text, std::string_view what,
                   const SourceLocation& where) {
  constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
  if (value > kExactIntegers) fail(where, fmt::format("'{}' as {}: too large", text, what));
  // A decimal fraction times its scale (1.1 * 1000) may miss the whole number by a rounding error.
  const double nearest = std::round(value);
  if (std::abs(value - nearest) > 1e-9 * std::max(1.0, value))
    fail(where, fmt::format("'{}' as {}: expected a whole number", text, what));
  return static_cast<std::int64_t>(nearest);
}

std::string format(double value, std::span<const Unit> units) {
  const Unit* unit = &units.front();
  for (const Unit& larger : units)
    if (std::abs(value) >= larger.scale) unit = &larger;
  const double scaled = value / unit->scale;
  // Above 9999 four digits would need an exponent; all digits before the point are shown instead.
  return std::abs(scaled) >= 1e4 ? fmt::format("{:.0f} {}", scaled, unit->name)
                                 : fmt::format("{:.4g} {}", scaled, unit->name);
}

}  // namespace

Bytes parse_bytes(std::string_view text, const SourceLocation& where) {
  constexpr std::string_view kWhat = "a size in bytes";
  return {whole(parse(text, kBytes, kWhat, where), text, kWhat, where)};
}

Hertz parse_hertz(std::string_view text, const SourceLocation& where) {
  return {parse(text, kHertz, "a frequency", where)};
}

Picojoules parse_picojoules(std::string_view text, const SourceLocation& where) {
  return {parse(text, kPicojoules, "an energy", where)};
}

SquareMillimetres parse_square_millimetres(std::string_view text, const SourceLocation& where) {
  return {parse(text, kSquareMillimetres, "an area", where)};
}

double parse_bytes_per_cycle(std::string_view text, const SourceLocation& where) {
  return parse(text, kBytesPerCycle, "a bandwidth", where);
}

std::int64_t parse_bits(std::string_view text, const SourceLocation& where) {
  constexpr std::string_view kWhat = "a number of bits";
  return whole(parse(text, kBits, kWhat, where), text, kWhat, where);
}

std::int64_t parse_capacity_bits(std::string_view text, std::int64_t word_bits,
                                 const SourceLocation& where) {
  constexpr std::string_view kWhat = "a capacity";
  std::vector<Unit> units{{"word", static_cast<double>(word_bits)},
                          {"words", static_cast<double>(word_bits)}};
  units.insert(units.end(), std::begin(kBits), std::end(kBits));
  return whole(parse(text, units, kWhat, where), text, kWhat, where);
}

std::int64_t parse_words(std::string_view text, const SourceLocation& where) {
  constexpr std::string_view kWhat = "a number of words";
  return whole(parse(text, kWords, kWhat, where), text, kWhat, where);
}

double parse_words_per_cycle(std::string_view text, std::int64_t word_bits, Hertz clock,
                             const SourceLocation& where) {
  const auto word = static_cast<double>(word_bits);
  const double per_second = 8 / word / clock.value;
  const std::vector<Unit> units{{"word/cycle", 1},
                                {"words/cycle", 1},
                                {"bit/cycle", 1 / word},
                                {"bits/cycle", 1 / word},
                                {"B/cycle", 8 / word},
                                {"kB/cycle", 8e3 / word},
                                {"KiB/cycle", 0x1p13 / word},
                                {"MiB/cycle", 0x1p23 / word},
                                {"B/s", per_second},
                                {"MB/s", 1e6 * per_second},
                                {"GB/s", 1e9 * per_second},
                                {"TB/s", 1e12 * per_second}};
  return parse(text, units, "a bandwidth", where);
}

double parse_milliwatts(std::string_view text, const SourceLocation& where) {
  return parse(text, kMilliwatts, "a power", where);
}

double parse_picojoules_per_bit(std::string_view text, const SourceLocation& where) {
  return parse(text, kPicojoulesPerBit, "an energy per bit", where);
}

Cycles parse_cycles(std::string_view text, const SourceLocation& where) {
  constexpr std::string_view kWhat = "a number of cycles";
  return {whole(parse(text, kCycles, kWhat, where), text, kWhat, where)};
}

double parse_seconds(std::string_view text, const SourceLocation& where) {
  return parse(text, kSeconds, "a time", where);
}

std::string format_bytes(Bytes size) {
  return format(static_cast<double>(size.value), kBinaryBytes);
}
std::string format_hertz(Hertz frequency) { return format(frequency.value, kHertz); }
std::string format_picojoules(Picojoules energy) { return format(energy.value, kPicojoules); }
std::string format_square_millimetres(SquareMillimetres area) {
  return format(area.value, kSquareMillimetres);
}
std::string format_cycles(Cycles latency) {
  return format(static_cast<double>(latency.value), kShownCycles);
}
std::string format_seconds(double seconds) { return format(seconds, kSeconds); }

}  // namespace cosearch::datasets
