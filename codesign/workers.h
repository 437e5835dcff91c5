// The one place where threads are used: a fixed number of oneTBB workers over an index range.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace cosearch::codesign {

/// `jobs` threads. Every index writes only its own slot, so results cannot depend on `jobs`.
class Workers {
 public:
  /// Requires jobs >= 1.
  explicit Workers(int jobs);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  [[nodiscard]] int jobs() const { return jobs_; }

  /// Calls `work(begin, end)` on disjoint ranges that together cover [0, count), concurrently;
  /// returns when all are done. An exception of `work` reaches the caller.
  void for_ranges(std::size_t count, const std::function<void(std::size_t, std::size_t)>& work);

 private:
  struct Arena;
  int jobs_;
  std::unique_ptr<Arena> arena_;
};

}  // namespace cosearch::codesign
