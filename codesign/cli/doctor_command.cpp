// cosearch doctor: what is here, what is missing, and what that switches off.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "codesign/cli/console.h"
#include "codesign/cli/program_files.h"
#include "codesign/cli/text_table.h"
#include "codesign/embedded_tables.h"
#include "codesign/versions.h"
#include "core/user_error.h"
#include "nas/training/trainer.h"
#include "predictors/registry.h"

namespace cosearch::codesign {
namespace {

struct Finding {
  std::string what, state, remark;
  bool is_good = true;
};

Finding training_module() {
  try {
    const auto trainer = nas::load_trainer(training_module_folder());
    return {"training and scores", "available", trainer->description()};
  } catch (const UserError& error) {
    return {"training and scores", "off", error.what(), false};
  }
}

Finding neural_predictors() {
  try {
    (void)predictors::make_predictor("mlp", neural_module_folder());
    return {"neural predictors", "available", ""};
  } catch (const UserError& error) {
    return {"neural predictors", "off", error.what(), false};
  }
}

Finding images() {
  const std::filesystem::path file = default_image_folder() / "train-images-idx3-ubyte.gz";
  if (std::filesystem::exists(file))
    return {"Fashion-MNIST images", "available", default_image_folder().string()};
  return {"Fashion-MNIST images", "missing",
          "needed by `cosearch dataset train` only: apt-get install dataset-fashion-mnist", false};
}

Finding blas() {
  namespace fs = std::filesystem;
  for (const char* folder : {"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"})
    for (const char* flavour : {"openblas-pthread", "openblas-openmp", "openblas-serial"})
      if (fs::exists(fs::path(folder) / flavour)) return {"BLAS", "OpenBLAS", flavour};
  return {"BLAS", "reference",
          "training is about 17 times slower: apt-get install libopenblas0-pthread", false};
}

Finding embedded_table() {
  const datasets::Table table = embedded_accuracies("fashion-macro");
  return {"embedded accuracies", "available",
          fmt::format("fashion-macro, {} networks", table.rows())};
}

std::vector<Finding> findings() {
  std::vector<Finding> all;
  for (const auto& [what, version] : versions()) all.push_back({what, version, ""});
  all.push_back({"cores", std::to_string(std::thread::hardware_concurrency()), ""});
  all.push_back(embedded_table());
  all.push_back(training_module());
  all.push_back(neural_predictors());
  all.push_back(images());
  all.push_back(blas());
  return all;
}

void doctor(const Console& console) {
  if (console.json) {
    nlohmann::json rows = nlohmann::json::array();
    for (const Finding& finding : findings())
      rows.push_back({{"what", finding.what},
                      {"state", finding.state},
                      {"remark", finding.remark},
                      {"good", finding.is_good}});
    return console.print(rows);
  }
  TextTable table({"", "what", "state", "remark"});
  for (const Finding& finding : findings())
    table.add({finding.is_good ? "ok" : "!", finding.what, finding.state, finding.remark});
  table.print(console.out);
}

}  // namespace

void add_doctor_command(CLI::App& app, Console& console) {
  app.add_subcommand("doctor", "What is installed, what is missing, and what that switches off")
      ->callback([&console] { doctor(console); });
}

}  // namespace cosearch::codesign
