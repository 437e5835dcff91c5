// What each alternative of a network space takes on an accelerator, from the costs of layers.
#pragma once

#include <memory>

#include "codesign/machine_file.h"
#include "codesign/workers.h"
#include "nas/choice_space.h"
#include "nas/supernet/differentiable_search.h"

namespace cosearch::codesign {

/// In cycles: the largest network, and how far changing each one choice of it moves its latency.
/// Exact where choices do not share layers and each keeps its shape, as in macro spaces; cells
/// whose sums have fewer terms, or whose unused operations are left out, differ from it.
/// Throws UserError for a layer that does not run on `accelerator`, whose usual mapper maps them.
[[nodiscard]] nas::ChoiceLatencies choice_latencies(std::shared_ptr<const nas::ChoiceSpace> space,
                                                    const MachineDescription& accelerator,
                                                    Workers& workers);

/// The sum that `latencies` give for `choices`.
[[nodiscard]] double latency_of(const nas::ChoiceLatencies& latencies, const nas::Choices& choices);

}  // namespace cosearch::codesign
