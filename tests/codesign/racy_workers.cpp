// A race of ours, inside a task of oneTBB: what races_in_libraries.txt must not hide from the
// thread sanitizer. Exits with 0 where the sanitizer, which would have said so, saw nothing.
#include <cstdio>

#include "codesign/workers.h"

int main() {
  constexpr std::size_t kCount = 100'000;
  cosearch::codesign::Workers workers(4);
  std::size_t sum = 0;
  workers.for_ranges(kCount, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) ++sum;
  });
  std::printf("%zu\n", sum);
  return 0;
}
