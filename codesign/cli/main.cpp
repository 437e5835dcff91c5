#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codesign/cli/console.h"
#ifdef COSEARCH_HAS_MPI
#include "codesign/mpi/ranks.h"
#endif
#include "codesign/versions.h"
#include "core/user_error.h"

namespace {

using namespace cosearch::codesign;

// What stands where a command should; empty when nothing does.
std::string unknown_command(const CLI::App& app) {
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  std::vector<std::string> known, words = command->remaining();
  for (const CLI::App* one : command->get_subcommands([](const CLI::App*) { return true; }))
    known.push_back(one->get_name());
  if (words.empty()) words = app.remaining();
  if (words.empty() || known.empty()) return "";
  return "unknown command '" + words.front() + "'" + cosearch::did_you_mean(words.front(), known);
}

int report(const CLI::App& app, const CLI::ParseError& error, const Console& console) {
  if (error.get_exit_code() == 0) return app.exit(error, console.out, console.err);
  const std::string unknown = unknown_command(app);
  console.err << "cosearch: " << (unknown.empty() ? error.what() : unknown)
              << "\nRun with --help for more information.\n";
  return kBadInput;
}

// Of the processes of an MPI job, one tells what is wrong with the command line.
bool speaks_for_all_ranks(int argc, char** argv) {
#ifdef COSEARCH_HAS_MPI
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  if (std::ranges::find(arguments, std::string_view("--mpi")) != arguments.end())
    return MpiJob().rank() == 0;
#endif
  static_cast<void>(argc), static_cast<void>(argv);
  return true;
}

int run(int argc, char** argv, Console& console) {
  CLI::App app(
      "cosearch finds a neural network and the chip to run it on, together.\n"
      "Start with: cosearch run examples/quickstart.yaml");
  app.name("cosearch");
  app.set_version_flag("--version", versions_text());
  app.add_flag("--json", console.json, "results as JSON on standard output");
  app.add_flag("-q,--quiet", console.quiet, "nothing on standard error but errors");
  app.fallthrough();
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 1 a bug of ours, 2 bad usage or input, 3 a file cannot be read or\n"
      "written, 4 no feasible design, 5 stopped by a limit or Ctrl-C (the store holds what was\n"
      "evaluated).");
  add_run_command(app, console);
  add_gap_command(app, console);
  add_cost_command(app, console);
  add_map_command(app, console);
  add_rank_command(app, console);
  add_recommend_command(app, console);
  add_pareto_command(app, console);
  add_predictor_command(app, console);
  add_score_command(app, console);
  add_show_command(app, console);
  add_merge_command(app, console);
  add_dataset_command(app, console);
  add_import_command(app, console);
  add_export_command(app, console);
  add_list_command(app, console);
  add_doctor_command(app, console);
  add_validate_command(app, console);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return speaks_for_all_ranks(argc, argv) ? report(app, error, console) : kDone;
  }
  if (!console.out.flush())
    throw cosearch::FileError({"standard output"}, "cannot write everything");
  return console.exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  Console console{std::cout, std::cerr};
  console.is_terminal = isatty(STDERR_FILENO) != 0;
  try {
    return run(argc, argv, console);
  } catch (const cosearch::FileError& error) {
    std::cerr << "cosearch: " << error.what() << '\n';
    return kFileTrouble;
  } catch (const cosearch::UserError& error) {
    std::cerr << "cosearch: " << error.what() << '\n';
    return kBadInput;
  } catch (const std::exception& error) {
    std::cerr << "cosearch: internal error: " << error.what()
              << "\nThis is a bug of ours: please report it with the command you ran.\n";
    return kBug;
  }
}
