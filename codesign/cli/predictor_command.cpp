// cosearch predictor: train models that predict networks, compare them, and ask them.
#include <CLI/CLI.hpp>

#include "codesign/cli/console.h"
#include "codesign/cli/predictor_options.h"

namespace cosearch::codesign {

void add_predictor_command(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("predictor", "Models that predict networks");
  command->require_subcommand(1);
  add_predictor_bench(*command, console);
  add_predictor_train(*command, console);
  add_predictor_predict(*command, console);
  add_predictor_transfer(*command, console);
  add_predictor_bench_transfer(*command, console);
}

}  // namespace cosearch::codesign
