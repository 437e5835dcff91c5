// The victim of tests/torture/torture_test.py, and its inspector.
//
//   torture_tool run STUDY STORE [alarm]   searches or resumes; prints how many points are
//                                          acknowledged each time that some are
//   torture_tool count STORE               how many points could be read back now; changes nothing
//   torture_tool damage FILE SEED FLIPS    flips bits of, and cuts, copies of a study file or a
//                                          journal: nothing may crash, no wrong value be believed
#include <fmt/format.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "codesign/run_study.h"
#include "core/random.h"
#include "core/user_error.h"
#include "datasets/study_log.h"

namespace {

using namespace cosearch;
namespace fs = std::filesystem;

void acknowledge(std::uint64_t points) {
  const std::string line = std::to_string(points) + "\n";
  // One write, so that a kill leaves whole lines.
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::exit(1);
}

// Calls return EINTR 5,000 times a second.
void ring_all_the_time() {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  sigaction(SIGALRM, &action, nullptr);
  const itimerval often{{0, 200}, {0, 200}};
  setitimer(ITIMER_REAL, &often, nullptr);
}

int run(const std::string& study, const std::string& store, bool is_alarmed) {
  codesign::StudySetting setting(codesign::read_study(study, {}), 2);
  if (is_alarmed) ring_all_the_time();
  codesign::RunOptions options{.output = store, .resume = true};
  options.progress = [](const codesign::EvaluationCounts& so_far, const codesign::ParetoArchive&) {
    acknowledge(so_far.trials);
  };
  static_cast<void>(codesign::run_study(setting, options));
  return 0;
}

std::uint64_t count(const fs::path& store) {
  datasets::EarlierPoints earlier(store);
  if (earlier.is_empty()) return 0;
  std::uint64_t points = 0;
  for (auto run = earlier.next(); run.size() > 0; run = earlier.next()) points += run.size();
  return points;
}

std::string text_of(const datasets::PointBatch& points, std::size_t i) {
  std::string text =
      fmt::format("{} {} {} {} {} {} {} {} {:a}", points.id[i], points.network[i],
                  points.accelerator[i], points.feasible[i], points.reason[i], points.strategy[i],
                  points.step[i], points.accuracy_source[i], points.accuracy_spread[i]);
  for (const auto& metric : points.metrics) text += fmt::format(" {:a}", metric[i]);
  return text;
}

std::string text_of(const datasets::StudyStart& start) {
  std::string text = fmt::format("{} {} {} {}", start.header.name, start.header.seed,
                                 start.header.created, start.header.configuration);
  for (const auto& network : start.networks)
    text += fmt::format(" {} {} {} {}", network.genotype, network.accuracy, network.macs,
                        network.parameters);
  for (const auto& accelerator : start.accelerators.rows)
    text += fmt::format(" {} {}", accelerator.name, fmt::join(accelerator.parameters, " "));
  return text;
}

struct Content {
  std::string start;
  std::vector<std::string> points;  // by id; empty where there is none
};

Content content_of(const fs::path& store) {
  datasets::EarlierPoints earlier(store);
  Content content;
  if (earlier.is_empty()) return content;
  content.start = text_of(earlier.start());
  for (auto run = earlier.next(); run.size() > 0; run = earlier.next()) {
    content.points.resize(run.id.back() + 1);
    for (std::size_t i = 0; i < run.size(); ++i) content.points[run.id[i]] = text_of(run, i);
  }
  return content;
}

// False, with a word on standard error, when something was believed that was never written.
bool is_part_of(const Content& found, const Content& whole) {
  if (!found.start.empty() && found.start != whole.start) {
    std::cerr << "a wrong beginning was believed\n";
    return false;
  }
  for (std::size_t id = 0; id < found.points.size(); ++id)
    if (!found.points[id].empty() &&
        (id >= whole.points.size() || found.points[id] != whole.points[id])) {
      std::cerr << "a wrong point was believed: " << found.points[id] << '\n';
      return false;
    }
  return true;
}

std::string bytes_of(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  return bytes.str();
}

int damage(const fs::path& file, std::uint64_t seed, std::uint64_t flips) {
  const bool is_journal = file.extension() == ".journal";
  const fs::path folder = file.parent_path() / "damaged";
  fs::create_directories(folder);
  const fs::path store = folder / "s.h5";
  const fs::path target = is_journal ? datasets::journal_of(store) : store;
  const std::string whole_bytes = bytes_of(file);
  std::uint64_t refused = 0, wrong = 0, tried = 0;
  const auto attempt = [&](const std::string& bytes, const Content& whole) {
    std::ofstream(target, std::ios::binary) << bytes;
    ++tried;
    try {
      if (!is_part_of(content_of(store), whole)) ++wrong;
    } catch (const UserError&) {
      ++refused;
    }
  };
  std::ofstream(target, std::ios::binary) << whole_bytes;
  const Content whole = content_of(store);
  Random random(seed, "damage");
  for (std::uint64_t i = 0; i < flips; ++i) {
    std::string bytes = whole_bytes;
    bytes[random.below(bytes.size())] ^= static_cast<char>(1 << random.below(8));
    attempt(bytes, whole);
  }
  constexpr std::size_t kTail = 4096;
  const std::size_t step = flips < 1000 ? 37 : 1;
  for (std::size_t cut = 1; cut <= std::min(kTail, whole_bytes.size()); cut += step)
    attempt(whole_bytes.substr(0, whole_bytes.size() - cut), whole);
  fs::remove_all(folder);
  std::cout << fmt::format("{} of {} damaged copies refused, {} believed wrongly\n", refused, tried,
                           wrong);
  return wrong == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.at(0) == "run") return run(words.at(1), words.at(2), words.size() > 3);
    if (words.at(0) == "count") return (acknowledge(count(words.at(1))), 0);
    if (words.at(0) == "damage")
      return damage(words.at(1), std::stoull(words.at(2)), std::stoull(words.at(3)));
  } catch (const UserError& error) {
    std::cerr << error.what() << '\n';
    return 3;
  }
  return 2;
}
