#include "codesign/cli/program_files.h"

#include <memory>
#include <string>

#include "codesign/supernet_file.h"

namespace cosearch::codesign {

namespace {

std::filesystem::path module_folder(const char* build_folder) {
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe");
  const std::filesystem::path installed =
      program.parent_path().parent_path() / COSEARCH_MODULE_FOLDER;
  if (std::filesystem::exists(installed)) return installed;
  return build_folder;
}

}  // namespace

std::filesystem::path training_module_folder() {
  return module_folder(COSEARCH_BUILD_MODULE_FOLDER);
}

std::filesystem::path neural_module_folder() { return module_folder(COSEARCH_BUILD_NEURAL_FOLDER); }

AccuracyTools program_accuracy_tools() {
  return {.trainer = [] { return nas::load_trainer(training_module_folder()); },
          .scorer = [] { return nas::load_scorer(training_module_folder()); },
          .supernet =
              [](const std::filesystem::path& file, const datasets::ImageData& images) {
                const auto opened = std::make_shared<const OpenSupernet>(
                    open_supernet(file, training_module_folder(), images));
                return AskedSupernet{opened->source, opened->space_options,
                                     [opened](const std::string& genotype) {
                                       return opened->accuracy_of(genotype);
                                     }};
              },
          .neural_modules = neural_module_folder()};
}

std::filesystem::path default_image_folder() { return "/usr/share/datasets/fashion-mnist"; }

}  // namespace cosearch::codesign
