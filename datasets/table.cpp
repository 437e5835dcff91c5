#include "datasets/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <utility>

#include "datasets/file_bytes.h"

namespace cosearch::datasets {
namespace {

/// Splits CSV text into records of cells, one call per record.
class RecordReader {
 public:
  RecordReader(std::string_view text, const std::string& name) : text_(text), name_(name) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
  }

  /// True when nothing but line ends is left.
  [[nodiscard]] bool finished() const {
    return text_.find_first_not_of("\r\n", at_) == std::string_view::npos;
  }

  /// Line on which the next record starts.
  [[nodiscard]] int line() const { return line_; }

  /// Appends the cells of the next record to `cells` and returns how many there were.
  std::size_t read(std::vector<std::string>& cells) {
    std::size_t count = 0;
    do {
      cells.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted_cell() : plain_cell());
      ++count;
    } while (take(','));
    if (take('\r') && !(at_ < text_.size() && text_[at_] == '\n'))
      throw UserError({name_, line_}, "carriage return without a line feed after it");
    if (take('\n')) ++line_;
    return count;
  }

 private:
  bool take(char wanted) {
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  std::string plain_cell() {
    const std::size_t end = std::min(text_.find_first_of(",\r\n\"", at_), text_.size());
    if (end < text_.size() && text_[end] == '"')
      throw UserError({name_, line_},
                      "quotation mark inside a cell that does not start with one; "
                      "quote the whole cell and double the marks inside it");
    const std::string_view cell = text_.substr(at_, end - at_);
    if (cell.find('\0') != std::string_view::npos)
      throw UserError({name_, line_}, "zero byte: this is not a CSV text file");
    at_ = end;
    return std::string(cell);
  }

  std::string quoted_cell() {
    const int first_line = line_;
    std::string cell;
    ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"' && !take('"')) {
        if (at_ < text_.size() && std::string_view(",\r\n").find(text_[at_]) == std::string::npos)
          throw UserError({name_, line_}, "text after the closing quotation mark of a cell");
        return cell;
      }
      if (c == '\n') ++line_;
      cell += c;
    }
    throw UserError({name_, first_line}, "quotation mark opened here is never closed");
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0;
  int line_ = 1;
};

void check_column_names(const std::vector<std::string>& columns, const SourceLocation& where) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].empty()) throw UserError(where, fmt::format("column {} has no name", i + 1));
    if (!seen.insert(columns[i]).second)
      throw UserError(where, fmt::format("column '{}' appears twice", columns[i]));
  }
}

}  // namespace

Table Table::read(const std::filesystem::path& path) {
  return parse(read_file(path), path.string());
}

Table Table::parse(std::string_view text, std::string name) {
  Table table;
  table.name_ = std::move(name);
  RecordReader reader(text, table.name_);
  if (reader.finished())
    throw UserError({table.name_}, "is empty; expected a header line with column names");
  const SourceLocation header{table.name_, reader.line()};
  reader.read(table.columns_);
  check_column_names(table.columns_, header);
  if (reader.finished()) throw UserError(header, "there are no rows below the header");
  while (!reader.finished()) {
    const int line = reader.line();
    const std::size_t count = reader.read(table.cells_);
    if (count != table.columns_.size())
      throw UserError({table.name_, line}, fmt::format("{} cells; expected {}, one per column",
                                                       count, table.columns_.size()));
    table.lines_.push_back(line);
  }
  return table;
}

std::size_t Table::column(std::string_view name) const {
  if (const auto found = find_column(name)) return *found;
  throw UserError({name_}, fmt::format("no column '{}'{}", name, did_you_mean(name, columns_)));
}

std::optional<std::size_t> Table::find_column(std::string_view name) const {
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (columns_[i] == name) return i;
  return std::nullopt;
}

double Table::number(std::size_t row, std::size_t column) const {
  const std::string& cell = text(row, column);
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc{} || end != cell.data() + cell.size() || !std::isfinite(value))
    fail(row, column, "a finite number");
  return value;
}

std::int64_t Table::integer(std::size_t row, std::size_t column) const {
  const std::string& cell = text(row, column);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc{} || end != cell.data() + cell.size()) fail(row, column, "an integer");
  return value;
}

void Table::fail(std::size_t row, std::size_t column, std::string_view expected) const {
  const std::string& cell = text(row, column);
  throw UserError(where(row),
                  fmt::format("column '{}': {}; expected {}", columns_[column],
                              cell.empty() ? "empty cell" : "'" + cell + "'", expected));
}

}  // namespace cosearch::datasets
