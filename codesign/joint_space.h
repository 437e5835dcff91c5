// Networks x accelerators: the joint space of a study, and what strategies may know of it for free.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codesign/accelerator_set.h"
#include "codesign/mapper_choice.h"
#include "codesign/network_set.h"
#include "codesign/search/strategy.h"
#include "codesign/study.h"
#include "datasets/table.h"

namespace cosearch::codesign {

/// Built from a study; fixed afterwards, so safe to share between threads.
class JointSpace : public DesignSpace {
 public:
  JointSpace(NetworkSet networks, AcceleratorSet accelerators, MapperChoice mapping = {});

  [[nodiscard]] const NetworkSet& networks() const { return networks_; }
  [[nodiscard]] const std::vector<Accelerator>& accelerators() const { return accelerators_.list; }
  [[nodiscard]] const AcceleratorSet& accelerator_set() const { return accelerators_; }
  [[nodiscard]] const MapperChoice& mapping() const { return mapping_; }

  [[nodiscard]] std::uint32_t network_count() const override;
  [[nodiscard]] std::uint32_t accelerator_count() const override;
  /// Candidates one change of genotype away in the space, under whatever spelling they are here,
  /// each once; all others for named networks.
  [[nodiscard]] std::vector<std::uint32_t> network_neighbours(std::uint32_t network) const override;
  /// For every family, the four accelerators whose parameters are nearest (sum of absolute
  /// differences of their logarithms to base 2, over the parameters that both have; ties go to the
  /// lower index).
  [[nodiscard]] std::vector<std::uint32_t> accelerator_neighbours(
      std::uint32_t accelerator) const override;
  /// Nothing for named networks.
  [[nodiscard]] std::optional<std::uint32_t> crossover(std::uint32_t first, std::uint32_t second,
                                                       Random& random) const override;
  [[nodiscard]] double macs(std::uint32_t network) const override;
  /// Those of the study's table, then those known from the network itself.
  [[nodiscard]] std::vector<std::string> score_names() const override;
  [[nodiscard]] double score(std::uint32_t network, std::size_t which) const override;

  /// The name of the design's accelerator; "none" where only its network was asked about.
  [[nodiscard]] std::string accelerator_name(Design design) const;

 private:
  [[nodiscard]] std::optional<std::uint32_t> candidate_of(const std::string& genotype) const;

  NetworkSet networks_;
  AcceleratorSet accelerators_;
  MapperChoice mapping_;
  std::map<std::string, std::uint32_t> index_of_genotype_;
};

/// The candidate networks a study names, lowered. Throws UserError for an empty set, a genotype
/// that does not parse, a table without the columns, an accuracy outside [0, 100].
[[nodiscard]] NetworkSet load_networks(const Study& study, Workers& workers);

/// The cells of `columns` in `row`, joined.
[[nodiscard]] std::string joined_cells(const datasets::Table& table, std::size_t row,
                                       const std::vector<std::string>& columns,
                                       std::string_view separator);

/// Rows of `table` that pass `where`.
[[nodiscard]] std::vector<std::size_t> matching_rows(const datasets::Table& table,
                                                     const RowFilter& where);

/// The candidate accelerators of a study, in order: named ones, machines, then grid by grid; a
/// sample keeps this order. A machine that stands twice is one candidate. Empty when the study has
/// none. Throws UserError for parameters that cannot be built.
[[nodiscard]] AcceleratorSet load_accelerators(const Study& study);

}  // namespace cosearch::codesign
