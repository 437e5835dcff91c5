// The points of one or several stored studies as if one search had found them: one numbering of
// networks and accelerators, and a design that was evaluated alike twice stands once. What was
// measured of a design replaces what was predicted of it, whoever did either.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "datasets/fingerprint.h"
#include "datasets/study_store.h"

namespace cosearch::codesign {

class StudyUnion {
 public:
  struct Member {
    std::string name;  ///< for people: the file
    datasets::StudyStore store;
  };

  /// Requires at least one member. Throws UserError, naming two files, when objectives or metrics
  /// differ.
  explicit StudyUnion(std::vector<Member> members);

  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  [[nodiscard]] const std::vector<datasets::MetricColumn>& metrics() const;
  [[nodiscard]] const std::vector<std::string>& objectives() const;
  [[nodiscard]] const std::vector<datasets::NetworkRow>& networks() const { return networks_; }
  [[nodiscard]] const datasets::AcceleratorTable& accelerators() const { return accelerators_; }
  [[nodiscard]] const std::vector<std::string>& reasons() const { return reasons_; }
  /// Who proposed a point: the member's strategy, with its seed and file where there are several.
  [[nodiscard]] const std::vector<std::string>& strategies() const { return strategies_; }

  /// Who said what an accuracy is, by PointBatch::accuracy_source.
  [[nodiscard]] const std::vector<std::string>& accuracy_sources() const {
    return accuracy_sources_;
  }

  enum class Which {
    all,
    latest,  ///< of designs that the measurement of a front evaluated again only those points
  };

  /// Every point once, member by member in the order of evaluation, in batches; ids are the
  /// members' own where there is one member, else they count on from 0. Two points are one when
  /// their networks have one canonical form, their accelerators one template and parameters, all
  /// metrics agree, and both or neither are of a front's measurement. `visit` also gets the index
  /// of the member.
  void visit(Which which,
             const std::function<void(const datasets::PointBatch& points, std::size_t member)>&
                 visit) const;

 private:
  /// A member's numbers, by its own index -> by ours.
  struct Numbering {
    std::vector<std::uint32_t> networks, accelerators;
    std::vector<std::uint16_t> reasons, strategies, accuracy_sources;
  };
  struct HashOf {
    std::size_t operator()(const datasets::Fingerprint& print) const { return print[0]; }
  };
  using Seen = std::unordered_set<datasets::Fingerprint, HashOf>;

  void add_networks(const Member& member, Numbering& numbering);
  void add_accelerators(const Member& member, Numbering& numbering);
  void add_names(const Member& member, Numbering& numbering);
  void add_measured(const Member& member, const Numbering& numbering);
  void translate(datasets::PointBatch& points, const Numbering& numbering) const;
  [[nodiscard]] bool is_measured(const datasets::PointBatch& points, std::size_t row) const;
  [[nodiscard]] bool is_replaced(const datasets::PointBatch& points, std::size_t row) const;
  [[nodiscard]] std::uint64_t design_of(const datasets::PointBatch& points, std::size_t row) const;
  [[nodiscard]] std::vector<std::size_t> first_seen(const datasets::PointBatch& points,
                                                    Seen& seen) const;

  std::vector<Member> members_;
  std::vector<Numbering> numberings_;
  std::vector<datasets::NetworkRow> networks_;
  // By network: equal for two spellings of one, and where only what is said of the accuracy
  // differs.
  std::vector<std::uint32_t> canonical_, spelled_;
  datasets::AcceleratorTable accelerators_;
  std::vector<std::string> reasons_{""}, strategies_, accuracy_sources_{""};
  std::map<std::string, std::uint32_t> network_numbers_, canonical_numbers_, spelled_numbers_,
      accelerator_numbers_;
  std::vector<bool> measures_;                  // by strategy: it measures fronts
  std::unordered_set<std::uint64_t> measured_;  // design_of its points
};

}  // namespace cosearch::codesign
