#include "codesign/cli/stop_signal.h"

#include <csignal>

namespace cosearch::codesign {
namespace {

volatile std::sig_atomic_t stop_requested = 0;

void request_stop(int) { stop_requested = 1; }

}  // namespace

void watch_for_stop() {
  std::signal(SIGINT, request_stop);
  std::signal(SIGTERM, request_stop);
}

bool stop_was_requested() { return stop_requested != 0; }

}  // namespace cosearch::codesign
