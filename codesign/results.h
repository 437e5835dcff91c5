// What is made of stored studies: fronts under filters, merged stores, the trace of a search.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "codesign/archive.h"
#include "codesign/study_union.h"
#include "datasets/front_file.h"

namespace cosearch::codesign {

/// Which points to look at: all conditions hold.
struct PointFilter {
  std::vector<Constraint> bounds;
  struct Name {
    enum class Of { network, accelerator, template_name } of;
    std::string value;
  };
  std::vector<Name> names;

  [[nodiscard]] bool is_empty() const { return bounds.empty() && names.empty(); }
};

/// Reads conditions such as "latency<=2e5cycles", "accuracy>=90%", "template=nvdla" or
/// "accelerator=NAME". Throws UserError naming the condition.
[[nodiscard]] PointFilter parse_filter(const std::vector<std::string>& conditions);

/// The feasible points that pass `filter` and that no other such point beats, as columns; with
/// `study`, the file a point is from, where there are several.
[[nodiscard]] datasets::Columns front_of(const StudyUnion& studies, const PointFilter& filter);

/// How good the front was after how many evaluations: one row each time it changed, and the last.
/// The hypervolume is the share of the box between the best and worst feasible costs of all points.
[[nodiscard]] datasets::Columns trace_of(const StudyUnion& studies, const PointFilter& filter);

/// Writes all points, each once, as one study. `command_line` as typed.
void write_merged(const StudyUnion& studies, const std::filesystem::path& output,
                  const std::string& command_line);

}  // namespace cosearch::codesign
