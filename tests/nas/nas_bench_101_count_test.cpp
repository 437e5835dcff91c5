// How many networks NAS-Bench-101 has, counted in full.
#include <gtest/gtest.h>

#include <cstddef>
#include <iostream>

#include "tests/nas/nas_bench_101_cells.h"

namespace cosearch::nas {
namespace {

// C. Ying et al., ICML 2019, section 2.1: 423,624 up to isomorphism.
TEST(NasBench101, HasThePublishedNumberOfNetworks) {
  const auto space = make_space("nas-bench-101");
  std::size_t networks = 0;
  for (std::size_t interior = 0; interior <= 5; ++interior) {
    const std::size_t more = test::networks_of(*space, interior);
    std::cout << interior << " operations: " << more << " networks\n";
    networks += more;
  }
  EXPECT_EQ(networks, 423'624U);
}

}  // namespace
}  // namespace cosearch::nas
