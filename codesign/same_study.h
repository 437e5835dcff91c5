// Whether a search can go on with what an earlier one left: only when both ask the same.
#pragma once

#include <string>
#include <vector>

#include "datasets/journal.h"

namespace cosearch::codesign {

/// In what `now` differs from `earlier` such that the same search would not find the same: one text
/// each, naming the key and both values ("strategy.layers is 3, was 2"). What only describes a run
/// (when, by which command line, comments and layout of the study file) may differ.
[[nodiscard]] std::vector<std::string> differences(const datasets::StudyStart& earlier,
                                                   const datasets::StudyStart& now);

}  // namespace cosearch::codesign
