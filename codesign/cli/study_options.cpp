#include "codesign/cli/study_options.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <utility>

#include "codesign/cli/checks.h"
#include "core/user_error.h"

namespace cosearch::codesign {

void StudyOptions::add_to(CLI::App& command) {
  command.add_option("STUDY", file, "the study, a YAML file")->required();
  command
      .add_option("-D,--define", definitions, "NAME=VALUE for ${NAME} in the study's file names")
      ->take_all();
  command.add_option("--seed", seed, "instead of the study's seed")->check(whole_number(0));
  command.add_option("-j,--jobs", jobs, "threads; the answer is the same for any number")
      ->check(CLI::Range(1, 1024));
}

int StudyOptions::job_count() const { return codesign::job_count(jobs); }

Study StudyOptions::read() const {
  Definitions values;
  for (const std::string& definition : definitions) {
    const std::size_t equals = definition.find('=');
    if (equals == 0 || equals == std::string::npos)
      throw UserError("--define " + definition + ": expected NAME=VALUE");
    std::string value = definition.substr(equals + 1);
    // A path typed in a shell means the shell's folder, not the study's.
    if (std::filesystem::exists(value)) value = std::filesystem::absolute(value).string();
    values[definition.substr(0, equals)] = std::move(value);
  }
  Study study = read_study(file, values);
  if (seed) study.seed = *seed;
  return study;
}

}  // namespace cosearch::codesign
