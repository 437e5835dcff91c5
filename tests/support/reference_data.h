// Where the reference numbers of other tools are, for the tests labelled "reference".
#pragma once

#include <cstdlib>
#include <filesystem>

namespace cosearch::test {

/// $COSEARCH_REFERENCE_DATA, or the folder found at configure time; may not exist.
inline std::filesystem::path reference_data() {
  if (const char* folder = std::getenv("COSEARCH_REFERENCE_DATA")) return folder;
  return COSEARCH_DEFAULT_REFERENCE_DATA;
}

}  // namespace cosearch::test

/// Skips the running test, saying so, when `file` is not among the reference data.
#define COSEARCH_NEEDS_REFERENCE(file)                                     \
  if (!std::filesystem::exists(cosearch::test::reference_data() / (file))) \
  GTEST_SKIP() << "no reference data at " << (cosearch::test::reference_data() / (file)).string()
