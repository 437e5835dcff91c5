#include "codesign/cli/stop_signal.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <limits>

#include "codesign/cli/console.h"

namespace cosearch::codesign {
namespace {

// Of the second that a user waits, the rest is for the process to end.
constexpr double kGraceSeconds = 0.8;
constexpr std::int64_t kNanoseconds = 1'000'000'000,
                       kNever = std::numeric_limits<std::int64_t>::max();

// A handler runs on any thread, and may use atomics that need no lock.
static_assert(std::atomic<bool>::is_always_lock_free &&
              std::atomic<std::int64_t>::is_always_lock_free);
std::atomic<bool> stop_requested = false, has_deadline = false;
std::atomic<std::int64_t> grace_ends = kNever;  // [ns] of the monotonic clock
// Written while there is no deadline.
timer_t deadline_timer;
const char* farewell_text = "";

// Only what POSIX allows in a handler (signal-safety(7)) from here on.
void set_timer(double seconds) {
  itimerspec due{};
  due.it_value.tv_sec = static_cast<time_t>(seconds);
  due.it_value.tv_nsec =
      1 + static_cast<long>(1e9 * (seconds - static_cast<double>(due.it_value.tv_sec)));
  ::timer_settime(deadline_timer, 0, &due, nullptr);
}

std::int64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return kNanoseconds * time.tv_sec + time.tv_nsec;
}

void begin_grace() {
  grace_ends = now() + static_cast<std::int64_t>(kGraceSeconds * kNanoseconds);
  set_timer(kGraceSeconds);
}

void request_stop(int) {
  if (stop_requested.exchange(true)) return;  // a second Ctrl-C does not put the deadline off
  if (has_deadline) begin_grace();
}

// The alarm of the time limit or that of the grace: where the limit is over at the moment of a
// Ctrl-C, its alarm may arrive after the grace has begun.
void time_is_up(int signal) {
  if (!stop_requested) return request_stop(signal);
  if (!has_deadline || now() < grace_ends) return;
  static_cast<void>(!::write(STDERR_FILENO, farewell_text, std::strlen(farewell_text)));
  ::_exit(kStopped);
}

}  // namespace

void watch_for_stop() {
  std::signal(SIGINT, request_stop);
  std::signal(SIGTERM, request_stop);
}

bool stop_was_requested() { return stop_requested; }

StopDeadline::StopDeadline(double time_limit, const char* farewell) {
  farewell_text = farewell;
  std::signal(SIGALRM, time_is_up);
  if (::timer_create(CLOCK_MONOTONIC, nullptr, &deadline_timer) != 0) return;  // then only in order
  has_deadline = true;
  constexpr double kLongest = 1e9;  // 30 years: a timer counts in 64 bits, but not in infinities
  if (time_limit < kLongest) set_timer(time_limit);
  if (stop_requested) begin_grace();  // it came before there was a deadline
}

StopDeadline::~StopDeadline() {
  if (!has_deadline.exchange(false)) return;
  ::timer_delete(deadline_timer);
}

}  // namespace cosearch::codesign
