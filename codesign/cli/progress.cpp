#include "codesign/cli/progress.h"

#include <fmt/format.h>

#include "codesign/cli/text_table.h"
#include "datasets/quantity_text.h"

namespace cosearch::codesign {

Progress::Progress(const Console& console) : console_(console) {}

Progress::~Progress() {
  if (line_is_open_) console_.err << "\r\033[K";
}

double Progress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

void Progress::show(const std::function<std::string()>& line) {
  using std::chrono::milliseconds;
  const milliseconds pause(console_.is_terminal ? 100 : 10'000);
  if (console_.quiet || Clock::now() - last_ < pause) return;
  last_ = Clock::now();
  if (console_.is_terminal) {
    console_.err << "\r\033[K" << line() << std::flush;
    line_is_open_ = true;
  } else {
    console_.err << line() << '\n';
  }
}

void Progress::update(std::uint64_t done, std::uint64_t total,
                      const std::function<std::string()>& what) {
  show([&] {
    const double rate = static_cast<double>(done) / seconds();
    std::string line = grouped(static_cast<double>(done));
    if (total > 0) line += " of " + grouped(static_cast<double>(total));
    line += fmt::format(" evaluations, {}/s", grouped(rate));
    if (total > done && rate > 0)
      line += fmt::format(", {} left",
                          datasets::format_seconds(static_cast<double>(total - done) / rate));
    return line + ", " + what();
  });
}

}  // namespace cosearch::codesign
