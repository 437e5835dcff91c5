#include "codesign/workers.h"

#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

#include <cassert>
#include <optional>

namespace cosearch::codesign {
namespace {

// What is done before `release` is done before what follows `acquire` of the same. oneTBB sees to
// that; but it is not built for the thread sanitizer, which has to be told.
class Order {
 public:
#ifdef __SANITIZE_THREAD__
  void release() { __tsan_release(this); }
  void acquire() { __tsan_acquire(this); }
#else
  void release() {}
  void acquire() {}
#endif
};

// At the end of a block, exceptions included.
struct ReleaseAtEnd {
  Order& order;
  ~ReleaseAtEnd() { order.release(); }
};
struct AcquireAtEnd {
  Order& order;
  ~AcquireAtEnd() { order.acquire(); }
};

}  // namespace

struct Workers::Arena {
  explicit Arena(int jobs) : tasks(jobs) {
    // Left alone, oneTBB starts no more threads than there are processors, and warns.
    if (jobs > tbb::info::default_concurrency())
      more_than_processors.emplace(tbb::global_control::max_allowed_parallelism,
                                   static_cast<std::size_t>(jobs));
  }

  std::optional<tbb::global_control> more_than_processors;
  tbb::task_arena tasks;
};

Workers::Workers(int jobs) : jobs_(jobs), arena_(std::make_unique<Arena>(jobs)) {
  assert(jobs >= 1 && "at least one thread must do the work");
}

Workers::~Workers() = default;

void Workers::for_ranges(std::size_t count,
                         const std::function<void(std::size_t, std::size_t)>& work) {
  Order begin, end;
  begin.release();
  const AcquireAtEnd after{end};
  arena_->tasks.execute([&] {
    tbb::parallel_for(tbb::blocked_range<std::size_t>(0, count),
                      [&](const tbb::blocked_range<std::size_t>& range) {
                        begin.acquire();
                        const ReleaseAtEnd before{end};
                        work(range.begin(), range.end());
                      });
  });
}

}  // namespace cosearch::codesign
