#include "codesign/cli/program_files.h"

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

std::filesystem::path default_image_folder() { return "/usr/share/datasets/fashion-mnist"; }

}  // namespace cosearch::codesign
