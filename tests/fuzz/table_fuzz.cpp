// CSV tables, and the numbers in their cells.
#include <cmath>

#include "datasets/table.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace cosearch;

void fuzz_table(std::string_view text) {
  const datasets::Table table = datasets::Table::parse(text, "fuzz");
  fuzz::check(table.rows() > 0 && !table.columns().empty(), "a table is never empty");
  for (std::size_t row = 0; row < table.rows(); ++row)
    for (std::size_t column = 0; column < table.columns().size(); ++column) {
      fuzz::check(table.column(table.columns()[column]) == column,
                  "columns have names of their own");
      fuzz::accepts(
          [&] { fuzz::check(std::isfinite(table.number(row, column)), "numbers are finite"); });
      fuzz::accepts([&] { static_cast<void>(table.integer(row, column)); });
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::accepts([&] { fuzz_table(fuzz::text_of(data, size)); });
  return 0;
}
