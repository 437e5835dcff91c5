// Who says how accurate networks are: a table, a predictor, training, a score, a supernet.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codesign/network_set.h"
#include "codesign/space_file.h"
#include "codesign/study.h"
#include "codesign/workers.h"
#include "datasets/image_set.h"
#include "nas/scores/scorer.h"
#include "nas/training/trainer.h"

namespace cosearch::codesign {

/// What a source says of one network.
struct AccuracyEstimate {
  /// Percent, or a score in its own unit; NaN where there is none.
  double value = std::numeric_limits<double>::quiet_NaN();
  /// Of a predicted accuracy: its standard deviation in percentage points. NaN of any other.
  double spread = std::numeric_limits<double>::quiet_NaN();
  /// Why there is no value, for people; empty where nothing failed.
  std::string failure = {};
};

/// While a source is asked.
struct AccuracyWatch {
  /// Asked often, by several threads; true ends the asking. Empty: never.
  std::function<bool()> stop = {};
  /// Called with each network that took long, one call at a time: "train 0212: 84.31". May be
  /// empty.
  std::function<void(std::uint64_t done, std::uint64_t all, const std::string& last)> progress = {};
};

class AccuracySource {
 public:
  virtual ~AccuracySource() = default;

  [[nodiscard]] virtual AccuracyKind kind() const = 0;

  /// One for each of `networks`, which are candidates; nothing when it was stopped. What it says of
  /// a network depends on neither the others nor the number of threads.
  [[nodiscard]] virtual std::optional<std::vector<AccuracyEstimate>> estimate(
      std::span<const std::uint32_t> networks, const AccuracyWatch& watch) = 0;

  /// From now on what takes long is kept beside `store`, and what an earlier run left there counts.
  /// Throws what JsonLines throws.
  virtual void keep_beside(const std::filesystem::path& store) { static_cast<void>(store); }

  /// SHA-256 of what it reads beside the study's tables, by the key in the study.
  [[nodiscard]] virtual std::map<std::string, std::string> input_hashes() const { return {}; }
};

/// A trained supernet: of which space, and the accuracy in percent of a genotype of it with
/// inherited weights, NaN where it has none; safe to ask on several threads.
struct AskedSupernet {
  SpaceSource space;
  nas::SpaceOptions options;
  std::function<double(const std::string& genotype)> accuracy_of;
};

/// What sources need that the program finds and a test replaces. Each is called when a study names
/// such a source; an empty one is as good as a module that is not installed.
struct AccuracyTools {
  std::function<std::unique_ptr<nas::Trainer>()> trainer = {};
  std::function<std::unique_ptr<nas::Scorer>()> scorer = {};
  std::function<AskedSupernet(const std::filesystem::path& file, const datasets::ImageData& images)>
      supernet = {};
  std::filesystem::path neural_modules = {};  ///< the folder
};

/// Keeps references to `networks` and `workers`. Throws, with the key of the source, what
/// reading its files and loading its module throw, and UserError for a file that is for another
/// space or target, or needs what the study does not have.
[[nodiscard]] std::unique_ptr<AccuracySource> make_accuracy_source(const AccuracyChoice& choice,
                                                                   const Study& study,
                                                                   const NetworkSet& networks,
                                                                   Workers& workers,
                                                                   const AccuracyTools& tools);

}  // namespace cosearch::codesign
