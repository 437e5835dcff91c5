// The points of one or several stored studies as if one search had found them: one numbering of
// networks and accelerators, and a design that was evaluated alike twice stands once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
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
    latest,  ///< without those that the measurement of a member's front replaced by later ones
  };

  /// Every point once, member by member in the order of evaluation, in batches; ids are the
  /// members' own where there is one member, else they count on from 0. Two points are one when
  /// their networks have one canonical form, their accelerators one template and parameters, and
  /// all metrics agree. `visit` also gets the index of the member.
  void visit(Which which,
             const std::function<void(const datasets::PointBatch& points, std::size_t member)>&
                 visit) const;

 private:
  /// A member's numbers, by its own index -> by ours.
  struct Numbering {
    std::vector<std::uint32_t> networks, accelerators;
    std::vector<std::uint16_t> reasons, strategies, accuracy_sources;
    std::unordered_map<std::uint64_t, std::uint64_t> measured;  // last id, by key_of
  };
  struct HashOf {
    std::size_t operator()(const datasets::Fingerprint& print) const { return print[0]; }
  };
  using Seen = std::unordered_set<datasets::Fingerprint, HashOf>;

  void add_networks(const Member& member, Numbering& numbering);
  void add_accelerators(const Member& member, Numbering& numbering);
  void add_names(const Member& member, Numbering& numbering);
  static void add_measured(const Member& member, Numbering& numbering);
  void translate(datasets::PointBatch& points, const Numbering& numbering) const;
  [[nodiscard]] std::vector<std::size_t> first_seen(const datasets::PointBatch& points,
                                                    Seen& seen) const;

  std::vector<Member> members_;
  std::vector<Numbering> numberings_;
  std::vector<datasets::NetworkRow> networks_;
  std::vector<std::uint32_t> canonical_;  // by network: equal for two spellings of one
  datasets::AcceleratorTable accelerators_;
  std::vector<std::string> reasons_{""}, strategies_, accuracy_sources_{""};
  std::map<std::string, std::uint32_t> network_numbers_, canonical_numbers_, accelerator_numbers_;
};

}  // namespace cosearch::codesign
