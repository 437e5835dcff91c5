#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "core/user_error.h"
#include "nas/training/trainer.h"

namespace cosearch::nas {
namespace {

std::string message_of_loading(const std::filesystem::path& folder) {
  try {
    (void)load_trainer(folder);
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST(TrainerLoading, SaysWhichPackageIsMissing) {
  const std::string message = message_of_loading("/no/such/folder");
  EXPECT_NE(message.find("/no/such/folder/libcosearch_training.so"), std::string::npos) << message;
  EXPECT_NE(message.find("libtorch-dev"), std::string::npos) << message;
}

TEST(TrainerLoading, SaysWhyAModuleDoesNotLoad) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "cosearch_broken_module";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "libcosearch_training.so") << "no shared library";
  const std::string message = message_of_loading(folder);
  std::filesystem::remove_all(folder);
  EXPECT_NE(message.find("cannot load"), std::string::npos) << message;
}

}  // namespace
}  // namespace cosearch::nas
