// A space of networks: which genotypes exist, which lie next to each other, and what each one runs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/network.h"
#include "core/random.h"
#include "nas/blueprint.h"

namespace cosearch::nas {

/// Values by option name, e.g. {"image", 32}; what is left out keeps its default.
using SpaceOptions = std::map<std::string, std::int64_t>;

/// A set of networks, each written as a genotype: one text, its columns joined by ';'.
/// Immutable after construction, so every member may be called from several threads at once.
class NetworkSpace {
 public:
  virtual ~NetworkSpace() = default;

  [[nodiscard]] virtual std::string name() const = 0;

  /// How many genotypes (spellings) there are: a double because some spaces exceed 2^64; exact
  /// below 2^53.
  [[nodiscard]] virtual double size() const = 0;

  /// Genotype `index` of [0, size()), each exactly once. Throws UserError for an index beyond the
  /// space and for spaces of 2^32 genotypes or more, which nobody can enumerate.
  [[nodiscard]] virtual std::string genotype(std::uint64_t index) const = 0;

  /// Uniform over the genotypes.
  [[nodiscard]] virtual std::string sample(Random& random) const = 0;

  /// All genotypes one elementary change away, in a fixed order. Symmetric: a is a neighbour of b
  /// when b is one of a. Throws UserError as `lower` does.
  [[nodiscard]] virtual std::vector<std::string> neighbours(const std::string& genotype) const = 0;

  /// A genotype that takes each of its choices from `first` or `second`, with equal chances. Throws
  /// UserError as `lower` does.
  [[nodiscard]] virtual std::string crossover(const std::string& first, const std::string& second,
                                              Random& random) const = 0;

  /// One spelling for all spellings of the same network. Throws UserError as `lower` does.
  [[nodiscard]] virtual std::string canonical(const std::string& genotype) const = 0;

  /// Whether `genotype` is spelled exactly as `genotype(index)` or `sample` would spell it.
  [[nodiscard]] virtual bool contains(const std::string& genotype) const = 0;

  /// What the network computes. Throws UserError as `lower` does.
  [[nodiscard]] virtual Blueprint blueprint(const std::string& genotype) const = 0;

  /// Mean number of nodes that the skip connections chosen by `genotype` pass over, 0 when it has
  /// none; nothing where the space does not say: NAS-Bench-201 does, for which the mean was defined
  /// (in DARTS the nodes of a cell have no order of their own). Throws UserError as `lower` does.
  [[nodiscard]] virtual std::optional<double> skip_length(const std::string& genotype) const;

  /// The layers that run, ending in one output. Throws UserError when `genotype` is not of this
  /// space, saying at which position what was expected.
  [[nodiscard]] Network lower(const std::string& genotype) const {
    return nas::lower(blueprint(genotype));
  }
};

/// A whole number that shapes all networks of a space.
struct SpaceOption {
  std::string name;
  std::int64_t default_value;
  std::int64_t least, most;
  std::string meaning;
};

[[nodiscard]] std::vector<std::string> space_names();

/// Throws UserError (with a suggestion) when no space is called `space`.
[[nodiscard]] std::vector<SpaceOption> options_of(const std::string& space);

/// `options` with the defaults of those left out. Throws UserError, naming everything wrong at once
/// and `space`, for an option that is not `declared` or is out of its range.
[[nodiscard]] SpaceOptions complete_options(const std::string& space,
                                            const std::vector<SpaceOption>& declared,
                                            const SpaceOptions& options);

/// Throws UserError, naming everything wrong at once, for an unknown space, an unknown option or a
/// value out of its range.
[[nodiscard]] std::unique_ptr<NetworkSpace> make_space(const std::string& name,
                                                       const SpaceOptions& options = {});

}  // namespace cosearch::nas
