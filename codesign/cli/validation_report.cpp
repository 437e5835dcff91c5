#include "codesign/cli/validation_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "codesign/cli/text_table.h"

namespace cosearch::codesign {
namespace {

using nlohmann::json;

/// Sources in order of first use, numbered from 1.
class Footnotes {
 public:
  std::string mark(const ValidationSource& source) {
    auto found = std::find(sources_.begin(), sources_.end(), source);
    if (found == sources_.end()) found = sources_.insert(found, source);
    return fmt::format("[{}] {}", found - sources_.begin() + 1, source.known);
  }
  void print(std::ostream& out) const {
    out << "Sources\n";
    for (std::size_t i = 0; i < sources_.size(); ++i)
      out << fmt::format("  [{}] {}: {}\n", i + 1, sources_[i].known, sources_[i].text);
  }

 private:
  std::vector<ValidationSource> sources_;
};

std::string number(double value) {
  return value >= 1e5 ? grouped(value) : fmt::format("{:.4g}", value);
}

/// In percent; a difference of rounding is none.
std::string percent(double error) {
  if (std::abs(error) < 1e-7) return "0";
  return fmt::format("{:+.{}f}", 100 * error, std::abs(error) < 1 ? 1 : 0);
}

void print_rows(const Console& console, const ValidationReport& report, Footnotes& footnotes) {
  TextTable table({"case", "quantity", "unit", "reference", "ours", "error %", "source"});
  for (const ValidationRow& row : report.rows)
    table.add({row.item, row.quantity, row.unit, number(row.reference), number(row.ours),
               percent(row.error()), footnotes.mark(row.source)});
  table.print(console.out);
}

void print_summary(const Console& console, const ValidationSummary& summary) {
  console.out << fmt::format("  {}: {} values", summary.quantity, summary.count);
  if (std::abs(summary.largest_error) < 1e-7) {
    console.out << ", all equal\n";
    return;
  }
  console.out << fmt::format(
      ", ours / reference {:.3f} (median), error {:.1f} % (median), farthest {} % ({})",
      summary.median_ratio, 100 * summary.median_error, percent(summary.largest_error),
      summary.farthest);
  if (!std::isnan(summary.spearman))
    console.out << fmt::format(", Spearman {:.3f}", summary.spearman);
  console.out << '\n';
}

void print_report(const Console& console, const ValidationReport& report, Footnotes& footnotes) {
  console.out << report.suite << "\n  " << report.about << "\n\n";
  if (!report.rows.empty()) print_rows(console, report, footnotes);
  console.out << '\n';
  for (const ValidationSummary& summary : report.summaries) print_summary(console, summary);
  if (!report.left_out.empty())
    console.out << fmt::format("  {} slow {} left out (--slow runs them)\n", report.left_out.size(),
                               report.left_out.size() == 1 ? "case" : "cases");
  console.out << '\n';
}

json row_json(const ValidationRow& row) {
  return {{"case", row.item},          {"quantity", row.quantity},
          {"unit", row.unit},          {"reference", row.reference},
          {"ours", row.ours},          {"error_percent", 100 * row.error()},
          {"known", row.source.known}, {"source", row.source.text}};
}

json summary_json(const ValidationSummary& summary) {
  return {{"quantity", summary.quantity},
          {"count", summary.count},
          {"median_ratio", summary.median_ratio},
          {"median_error_percent", 100 * summary.median_error},
          {"largest_error_percent", 100 * summary.largest_error},
          {"farthest", summary.farthest},
          {"spearman", std::isnan(summary.spearman) ? json() : json(summary.spearman)}};
}

}  // namespace

void print_validation(const Console& console, const std::vector<ValidationReport>& reports) {
  Footnotes footnotes;
  for (const ValidationReport& report : reports) print_report(console, report, footnotes);
  footnotes.print(console.out);
}

json validation_json(const std::vector<ValidationReport>& reports) {
  json suites = json::array();
  for (const ValidationReport& report : reports) {
    json rows = json::array(), summaries = json::array();
    for (const ValidationRow& row : report.rows) rows.push_back(row_json(row));
    for (const ValidationSummary& summary : report.summaries)
      summaries.push_back(summary_json(summary));
    suites.push_back({{"suite", report.suite},
                      {"about", report.about},
                      {"rows", rows},
                      {"summaries", summaries},
                      {"left_out", report.left_out},
                      {"failures", report.failures}});
  }
  return {{"suites", suites}};
}

}  // namespace cosearch::codesign
