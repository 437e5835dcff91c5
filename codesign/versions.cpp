#include "codesign/versions.h"

#include <fmt/format.h>
#include <tbb/version.h>

#include <boost/version.hpp>

#include "datasets/study_store.h"

namespace cosearch::codesign {

std::vector<std::pair<std::string, std::string>> versions() {
  return {{"cosearch", COSEARCH_VERSION},
          {"HDF5", datasets::hdf5_version()},
          {"oneTBB", TBB_runtime_version()},
          {"pagmo", COSEARCH_PAGMO_VERSION},
          {"Boost", fmt::format("{}.{}.{}", BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1'000,
                                BOOST_VERSION % 100)},
          {"compiler", __VERSION__}};
}

std::string versions_text() {
  std::string text;
  for (const auto& [what, version] : versions())
    text += (text.empty() ? "" : "\n") + what + " " + version;
  return text;
}

}  // namespace cosearch::codesign
