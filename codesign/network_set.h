// The candidate networks of a study: an indexed list with accuracies, and what each asks of a chip.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "codesign/workers.h"
#include "core/layer.h"
#include "core/network.h"
#include "core/user_error.h"
#include "nas/space.h"

namespace cosearch::codesign {

/// A shape of layer, numbered over all networks of a study.
using LayerId = std::uint32_t;

/// How often a network runs a layer.
struct LayerCount {
  LayerId layer = 0;
  std::int64_t count = 0;
};

struct Candidate {
  std::string genotype;   ///< spelling in its space, or the name of a named network
  std::string canonical;  ///< the same for two spellings of one network
  std::string id;         ///< what a table of costs calls it; the genotype unless the study says
  double accuracy_percent = std::numeric_limits<double>::quiet_NaN();  ///< NaN: not known
  std::int64_t macs = 0;
  std::int64_t parameters = 0;
  std::vector<LayerCount> layers;   ///< in order of first appearance
  std::vector<double> scores = {};  ///< one per name in the set; NaN: not known
};

/// Candidates and the distinct layers they are made of. Fixed once built.
struct NetworkSet {
  std::string space;                                       ///< empty for named networks
  std::shared_ptr<const nas::NetworkSpace> network_space;  ///< null for named networks
  std::vector<Candidate> candidates;
  std::vector<std::string> score_names;  ///< training-free scores read from a table
  std::vector<Layer> layers;             ///< by LayerId
};

/// A genotype with what a table says of it.
struct TableEntry {
  std::string genotype;
  std::string id = {};
  double accuracy_percent = std::numeric_limits<double>::quiet_NaN();
  SourceLocation where = {};  ///< the row of the table
};

/// Lowers every entry and numbers the layers in order of appearance, so that the result does not
/// depend on the number of workers.
/// Throws UserError, at its row, for the first genotype that does not parse.
[[nodiscard]] NetworkSet lower_all(std::shared_ptr<const nas::NetworkSpace> space,
                                   std::vector<TableEntry> entries, Workers& workers);

/// Keeps one candidate for all spellings of a network: the first, with the mean of the accuracies
/// that are known for them, since each was a training run of the same function.
void merge_equivalent(NetworkSet& set);

/// A set of networks given as layer lists.
[[nodiscard]] NetworkSet gather(std::vector<Network> networks);

}  // namespace cosearch::codesign
