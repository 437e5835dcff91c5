#include "codesign/workers.h"

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <cassert>

namespace cosearch::codesign {

struct Workers::Arena {
  tbb::task_arena tasks;
  explicit Arena(int jobs) : tasks(jobs) {}
};

Workers::Workers(int jobs) : jobs_(jobs), arena_(std::make_unique<Arena>(jobs)) {
  assert(jobs >= 1 && "at least one thread must do the work");
}

Workers::~Workers() = default;

void Workers::for_ranges(std::size_t count,
                         const std::function<void(std::size_t, std::size_t)>& work) {
  arena_->tasks.execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<std::size_t>(0, count),
        [&](const tbb::blocked_range<std::size_t>& range) { work(range.begin(), range.end()); });
  });
}

}  // namespace cosearch::codesign
