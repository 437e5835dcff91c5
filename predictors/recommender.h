// Recommends one of a fixed list of choices, say of accelerators, for what the numbers of a
// workload are: in one step, where a search would try the choices one by one.
//
// Source: A. Samajdar, J. M. Joseph, T. Krishna, "AIrchitect: automating hardware architecture and
// mapping optimization", DATE 2023, section III: the choices are classes, and to recommend is to
// classify.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "predictors/examples.h"
#include "predictors/model_state.h"

namespace cosearch::predictors {

/// Call order: (fit | restore) recommend*. Runs on the caller's thread alone; recommending is safe
/// from several threads at once.
class Recommender {
 public:
  virtual ~Recommender() = default;

  /// Learns from workloads, a row each, and the choice that is `best` for each, below `choices`.
  /// The same arguments give the same recommender. Throws UserError for no rows, a feature that is
  /// missing or infinite, and a choice that is not one.
  void fit(const Examples& workloads, std::span<const std::uint32_t> best, std::uint32_t choices,
           std::uint64_t seed);

  /// rows x choices: the share of workloads like this one for which the choice is thought best, 0
  /// for choices that were best for none. Throws UserError when the columns are not those it was
  /// fitted to.
  [[nodiscard]] std::vector<double> shares(const Examples& workloads) const;

  /// The choices by one row of shares(), best first; of equal shares what was best more often in
  /// training, then the lower number.
  [[nodiscard]] std::vector<std::uint32_t> ranked(std::span<const double> shares) const;

  /// Names of the columns in which a row lies outside what the training workloads spanned: there a
  /// recommendation is a guess.
  [[nodiscard]] std::vector<std::string> unfamiliar(std::span<const double> row) const;

  [[nodiscard]] ModelState state() const;
  /// Recommends from now on as the recommender whose state this is, bit by bit. Throws UserError
  /// when the state is not one of this kind.
  void restore(const ModelState& state, std::vector<FeatureColumn> columns);

  [[nodiscard]] const std::vector<FeatureColumn>& columns() const { return columns_; }
  [[nodiscard]] std::uint32_t choices() const { return choices_; }

 protected:
  /// `best` and the columns of what `infer` returns count the choices that occur, from 0 to
  /// occurring() - 1.
  virtual void learn(const Examples& workloads, std::span<const std::uint32_t> best,
                     std::uint64_t seed) = 0;
  [[nodiscard]] virtual std::vector<double> infer(const Examples& workloads) const = 0;
  virtual void write(ModelState& state) const = 0;
  virtual void read(const ModelState& state) = 0;

  [[nodiscard]] std::size_t occurring() const { return occurring_.size(); }

 private:
  std::vector<FeatureColumn> columns_;
  std::uint32_t choices_ = 0;
  std::vector<std::uint32_t> occurring_;  // in ascending order
  std::vector<double> times_best_;        // each of them
  std::vector<double> lows_, highs_;      // by column
};

[[nodiscard]] const std::vector<std::string>& recommender_names();

/// Throws UserError (with a suggestion) for an unknown name, and when a neural model's module is
/// not in `module_folder`.
[[nodiscard]] std::unique_ptr<Recommender> make_recommender(
    const std::string& name, const std::filesystem::path& module_folder = {});

}  // namespace cosearch::predictors
