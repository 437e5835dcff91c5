#include "codesign/validation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <variant>

#include "accel/nest_cost.h"
#include "codesign/validation_quantities.h"
#include "predictors/rank_correlation.h"

namespace cosearch::codesign {
namespace {

using Mapped = std::variant<accel::Infeasible, accel::MappedLayer>;

/// One search for a best mapping, which several cases may need.
struct Search {
  const ValidationCase* first = nullptr;  ///< of the cases that need it
  Layer layer;
  Mapped result;

  [[nodiscard]] bool serves(const ValidationCase& one, const Layer& wanted) const {
    return layer == wanted && first->description == one.description &&
           first->objective.latency == one.objective.latency &&
           first->objective.energy == one.objective.energy && first->accounting == one.accounting;
  }
};

/// The searches that cases need, each once.
class Searches {
 public:
  void add(const ValidationCase& one) {
    if (one.mapping) return;
    for (const ValidationLayer& layer : one.layers) {
      if (find(one, layer.layer) != nullptr) continue;
      // In place: in a move of the temporary gcc sees members read that the result does not have.
      Search& search = searches_.emplace_back();
      search.first = &one;
      search.layer = layer.layer;
    }
  }

  void run(Workers& workers) {
    workers.for_ranges(searches_.size(), [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        const ValidationCase& one = *searches_[i].first;
        searches_[i].result = accel::optimal_mapping(
            searches_[i].layer, one.description.machine, one.description.constraints,
            {.objective = one.objective, .accounting = one.accounting});
      }
    });
  }

  [[nodiscard]] const Search* find(const ValidationCase& one, const Layer& layer) const {
    for (const Search& search : searches_)
      if (search.serves(one, layer)) return &search;
    return nullptr;
  }

 private:
  std::vector<Search> searches_;
};

/// What one case gives: its rows, or why it cannot run.
struct CaseResult {
  std::vector<ValidationRow> rows;
  std::string failure;
};

/// Adds a layer to `outcome`; the reason when it has no mapping.
std::string run_layer(const ValidationCase& one, const ValidationLayer& layer,
                      const Searches& searches, ValidationOutcome& outcome) {
  if (one.mapping) {
    const accel::NestCost cost =
        accel::evaluate(layer.layer, one.description.machine, *one.mapping, one.accounting);
    add_run(outcome, layer, *one.mapping, cost, one.accounting);
    return "";
  }
  const Mapped& best = searches.find(one, layer.layer)->result;
  if (const auto* infeasible = std::get_if<accel::Infeasible>(&best))
    return fmt::format("{}: {}: {}", one.name, describe(layer.layer), infeasible->reason);
  const auto& mapped = std::get<accel::MappedLayer>(best);
  add_run(outcome, layer, mapped.nest, mapped.cost, one.accounting);
  return "";
}

ValidationRow row_of(const ValidationCase& one, const ReferenceValue& reference,
                     const ValidationSuite& suite, const ValidationOutcome& outcome) {
  const Quantity& quantity = *find_quantity(reference.quantity);
  std::string item = one.name;
  if (quantity.needs_level) item += ", " + one.description.machine.levels[reference.level].name;
  return {item,
          reference.quantity,
          std::string(quantity.unit),
          reference.value,
          quantity.of(outcome, reference),
          suite.sources.at(reference.source)};
}

CaseResult run_case(const ValidationCase& one, const ValidationSuite& suite,
                    const Searches& searches) {
  ValidationOutcome outcome{.machine = &one.description.machine, .images = one.images};
  CaseResult result;
  for (const ValidationLayer& layer : one.layers) {
    result.failure = run_layer(one, layer, searches, outcome);
    if (!result.failure.empty()) return result;
  }
  for (const ReferenceValue& reference : one.values)
    result.rows.push_back(row_of(one, reference, suite, outcome));
  return result;
}

ValidationSummary summary_of(const std::string& quantity,
                             const std::vector<const ValidationRow*>& rows) {
  ValidationSummary summary{.quantity = quantity, .count = rows.size()};
  std::vector<double> ours, reference, ratios, errors;
  for (const ValidationRow* row : rows) {
    ours.push_back(row->ours);
    reference.push_back(row->reference);
    ratios.push_back(row->ours / row->reference);
    errors.push_back(std::abs(row->error()));
    if (summary.farthest.empty() || errors.back() > std::abs(summary.largest_error)) {
      summary.largest_error = row->error();
      summary.farthest = row->item;
    }
  }
  summary.spearman = rows.size() < 3 ? std::nan("") : predictors::spearman(ours, reference);
  summary.median_ratio = predictors::quantile(ratios, 0.5);
  summary.median_error = predictors::quantile(errors, 0.5);
  return summary;
}

std::vector<ValidationSummary> summaries_of(const std::vector<ValidationRow>& rows) {
  std::vector<ValidationSummary> summaries;
  for (const Quantity& quantity : quantities()) {
    std::vector<const ValidationRow*> of_quantity;
    for (const ValidationRow& row : rows)
      if (row.quantity == quantity.name) of_quantity.push_back(&row);
    if (of_quantity.size() > 1)
      summaries.push_back(summary_of(std::string(quantity.name), of_quantity));
  }
  return summaries;
}

bool is_run(const ValidationCase& one, const ValidationOptions& options) {
  return options.slow || !one.slow;
}

ValidationReport report_of(const ValidationSuite& suite, const ValidationOptions& options,
                           const Searches& searches) {
  ValidationReport report{.suite = suite.name, .about = suite.about};
  for (const ValidationCase& one : suite.cases) {
    if (!is_run(one, options)) {
      report.left_out.push_back(one.name);
      continue;
    }
    const CaseResult result = run_case(one, suite, searches);
    if (!result.failure.empty()) report.failures.push_back(result.failure);
    report.rows.insert(report.rows.end(), result.rows.begin(), result.rows.end());
  }
  report.summaries = summaries_of(report.rows);
  return report;
}

}  // namespace

std::vector<ValidationReport> run_validation(const std::vector<ValidationSuite>& suites,
                                             const ValidationOptions& options, Workers& workers) {
  Searches searches;
  for (const ValidationSuite& suite : suites)
    for (const ValidationCase& one : suite.cases)
      if (is_run(one, options)) searches.add(one);
  searches.run(workers);
  std::vector<ValidationReport> reports;
  for (const ValidationSuite& suite : suites)
    reports.push_back(report_of(suite, options, searches));
  return reports;
}

}  // namespace cosearch::codesign
