// Parameters of a file that people write: `parameters: {pe_rows: 16}` gives defaults, and
// `${pe_rows * 4}` in any value stands for what they say.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "datasets/document.h"

namespace cosearch::codesign {

/// Parameters given from outside, as text.
using ParameterValues = std::vector<std::pair<std::string, std::string>>;

/// Those that a store keeps numbers in.
inline constexpr std::array kParameterUnits{"", "bytes", "bytes/cycle", "Hz"};

/// `text` in `unit`, one of kParameterUnits; NaN where it is something else.
[[nodiscard]] double number_in_unit(const std::string& text, std::string_view unit);

/// "name:a=1,b=2" as "name" and its parameters. Throws UserError for an empty or repeated one.
[[nodiscard]] std::pair<std::string, ParameterValues> split_parameters(const std::string& what);

/// Replaces every `${...}` in the values of `document`, whose "/parameters" (a map of numbers and
/// text; may be absent) give the defaults of `values`. Within the braces: parameters, numbers,
/// + - * / and parentheses; text parameters stand alone. A value that is one `${...}` takes the
/// kind of its result: a whole number, a number or text.
///
/// Throws UserError at the value for an unknown parameter or a bad expression.
void fill_in_parameters(datasets::Document& document, const ParameterValues& values);

}  // namespace cosearch::codesign
