#include "nas/space.h"

#include <algorithm>

#include "core/user_error.h"
#include "nas/alphanet.h"
#include "nas/darts.h"
#include "nas/fashion_macro.h"
#include "nas/nas_bench_101.h"
#include "nas/nas_bench_201.h"
#include "nas/nas_bench_macro.h"
#include "nas/nasaic_spaces.h"
#include "nas/once_for_all.h"
#include "nas/regnet.h"
#include "nas/transformer_spaces.h"

namespace cosearch::nas {
namespace {

struct Entry {
  const char* name;
  std::vector<SpaceOption> (*options)();
  std::unique_ptr<NetworkSpace> (*make)(const SpaceOptions& complete);
};

constexpr Entry kRegistry[] = {
    {"nas-bench-201", nas_bench_201_options, make_nas_bench_201},
    {"nas-bench-macro", nas_bench_macro_options, make_nas_bench_macro},
    {"darts", darts_options, make_darts},
    {"alphanet", alphanet_options, make_alphanet},
    {"fashion-macro", fashion_macro_options, make_fashion_macro},
    {"resnet-9", resnet_9_options, make_resnet_9},
    {"unet", unet_options, make_unet},
    {"ofa-mobilenet-v3", ofa_mobilenet_v3_options, make_ofa_mobilenet_v3},
    {"ofa-resnet-50", ofa_resnet_50_options, make_ofa_resnet_50},
    {"regnet", regnet_options, make_regnet},
    {"gpt", gpt_options, make_gpt},
    {"vit", vit_options, make_vit},
    {"nas-bench-101", nas_bench_101_options, make_nas_bench_101},
};

const Entry& entry_of(const std::string& name) {
  for (const Entry& entry : kRegistry)
    if (name == entry.name) return entry;
  throw UserError("no network space is called '" + name + "'" + did_you_mean(name, space_names()));
}

/// What is wrong with one option the user gave; empty when nothing is.
std::string problem_in(const std::string& name, std::int64_t value,
                       const std::vector<SpaceOption>& declared) {
  const auto option = std::find_if(declared.begin(), declared.end(),
                                   [&](const SpaceOption& one) { return one.name == name; });
  if (option == declared.end()) {
    std::vector<std::string> names;
    for (const SpaceOption& one : declared) names.push_back(one.name);
    return "unknown option '" + name + "'" + did_you_mean(name, names);
  }
  if (value < option->least || value > option->most)
    return "option " + name + " = " + std::to_string(value) + ": must be from " +
           std::to_string(option->least) + " to " + std::to_string(option->most) + " (" +
           option->meaning + ")";
  return "";
}

}  // namespace

std::optional<double> NetworkSpace::skip_length(const std::string& /*genotype*/) const {
  return std::nullopt;
}

std::vector<std::string> space_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kRegistry) names.emplace_back(entry.name);
  return names;
}

std::vector<SpaceOption> options_of(const std::string& space) { return entry_of(space).options(); }

SpaceOptions complete_options(const std::string& space, const std::vector<SpaceOption>& declared,
                              const SpaceOptions& options) {
  std::string problems;
  for (const auto& [option, value] : options)
    if (const std::string problem = problem_in(option, value, declared); !problem.empty())
      problems += (problems.empty() ? "" : "; ") + problem;
  if (!problems.empty()) throw UserError(space + ": " + problems);

  SpaceOptions complete = options;
  for (const SpaceOption& option : declared)
    complete.try_emplace(option.name, option.default_value);
  return complete;
}

std::unique_ptr<NetworkSpace> make_space(const std::string& name, const SpaceOptions& options) {
  const Entry& entry = entry_of(name);
  return entry.make(complete_options(name, entry.options(), options));
}

}  // namespace cosearch::nas
