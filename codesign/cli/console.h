// Where a command writes, and how: results to `out`, progress and notices to `err`.
#pragma once

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

namespace CLI {
class App;
}

namespace cosearch::codesign {

/// Exit codes, as documented in docs/command-line.md.
enum ExitCode : int {
  kDone = 0,
  kBug = 1,
  kBadInput = 2,
  kFileTrouble = 3,
  kNothingFeasible = 4,
  kStopped = 5,
};

struct Console {
  std::ostream& out;
  std::ostream& err;
  bool json = false;         ///< machine-readable results on `out`
  bool quiet = false;        ///< nothing on `err` but errors
  bool is_terminal = false;  ///< of `err`: progress may overwrite its line
  int exit_code = kDone;

  /// A line for people on `err`, unless quiet.
  void note(const std::string& text) const {
    if (!quiet) err << text << '\n';
  }
  void print(const nlohmann::json& value) const { out << value.dump(2) << '\n'; }
};

// Each adds one subcommand, which writes to `console` and sets its exit code.
void add_run_command(CLI::App& app, Console& console);
void add_gap_command(CLI::App& app, Console& console);
void add_cost_command(CLI::App& app, Console& console);
void add_map_command(CLI::App& app, Console& console);
void add_rank_command(CLI::App& app, Console& console);
void add_recommend_command(CLI::App& app, Console& console);
void add_pareto_command(CLI::App& app, Console& console);
void add_predictor_command(CLI::App& app, Console& console);
void add_score_command(CLI::App& app, Console& console);
void add_show_command(CLI::App& app, Console& console);
void add_merge_command(CLI::App& app, Console& console);
void add_dataset_command(CLI::App& app, Console& console);
void add_import_command(CLI::App& app, Console& console);
void add_export_command(CLI::App& app, Console& console);
void add_list_command(CLI::App& app, Console& console);
void add_doctor_command(CLI::App& app, Console& console);
void add_validate_command(CLI::App& app, Console& console);

}  // namespace cosearch::codesign
