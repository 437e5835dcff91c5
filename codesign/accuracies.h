// How accurate the networks of a study are, as far as somebody asked: what its first source says,
// and, of networks that are worth it, what its second source measures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codesign/accuracy_source.h"
#include "codesign/metrics.h"
#include "codesign/network_set.h"
#include "codesign/study.h"
#include "codesign/workers.h"

namespace cosearch::codesign {

class Accuracies {
 public:
  /// Keeps a reference to `networks` and `workers`, which must outlive it. Throws what
  /// make_accuracy_source throws, and UserError, naming the key, for what the study asks of a
  /// source that does not have it.
  Accuracies(const Study& study, const NetworkSet& networks, Workers& workers,
             const AccuracyTools& tools);

  /// What it fills: accuracy, or the score that stands in for it.
  [[nodiscard]] Metric metric() const { return metric_; }

  /// Asks about those of `networks` that nobody asked about yet. False when it was stopped.
  [[nodiscard]] bool find(std::span<const std::uint32_t> networks);

  /// Has the second source measure `networks` at the next `find`. Requires has_second().
  void measure(std::span<const std::uint32_t> networks);
  [[nodiscard]] bool has_second() const { return sources_.size() > 1; }

  /// Of a network that was asked about.
  [[nodiscard]] const AccuracyEstimate& of(std::uint32_t network) const {
    return known_[network].estimate;
  }
  /// Who said so: an index into source_names(), 0 where nothing is known.
  [[nodiscard]] std::uint16_t source_of(std::uint32_t network) const;

  /// "" and the names of the sources, as the store lists them.
  [[nodiscard]] std::vector<std::string> source_names() const;
  /// SHA-256 of the files that the sources read, by their key in the study.
  [[nodiscard]] std::map<std::string, std::string> input_hashes() const;

  /// From now on what takes long is kept beside `store`, and what an earlier run left there counts.
  void keep_beside(const std::filesystem::path& store);
  /// What stops the sources, and hears how far they are.
  void watch(AccuracyWatch watch) { watch_ = std::move(watch); }

 private:
  struct Known {
    AccuracyEstimate estimate;
    std::uint8_t source = 0;  // who is asked, by place in sources_
    bool is_asked = false;
  };

  std::vector<std::unique_ptr<AccuracySource>> sources_;
  std::vector<Known> known_;  // by network
  Metric metric_ = Metric::accuracy;
  AccuracyWatch watch_;
};

}  // namespace cosearch::codesign
