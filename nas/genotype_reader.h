// Reads a genotype front to back and, where it stops making sense, says so at that character.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cosearch::nas {

class GenotypeReader {
 public:
  /// Both must outlive the reader.
  GenotypeReader(std::string_view space, std::string_view genotype)
      : space_(space), genotype_(genotype) {}

  [[nodiscard]] bool at_end() const { return position_ == genotype_.size(); }

  /// Steps over `text`, which must come next.
  void expect(std::string_view text);
  void expect_end();

  /// Steps over a run of letters, digits and '_' that must be one of `words`; returns which.
  std::size_t word(const std::vector<std::string>& words);
  /// The same for a decimal number; `what` names it in the message.
  std::size_t number(std::string_view what, const std::vector<std::int64_t>& allowed);
  /// Steps over the longest of `labels` that comes next; returns which.
  std::size_t label(std::string_view what, const std::vector<std::string>& labels);
  /// One digit in [0, alternatives).
  std::size_t digit(std::string_view what, std::size_t alternatives);

  /// The next character, from 0, and to go back to it.
  [[nodiscard]] std::size_t position() const { return position_; }
  void go_to(std::size_t position) { position_ = position; }

  /// Throws UserError: "<space>: genotype '...', character 7: expected <expected>".
  [[noreturn]] void fail(const std::string& expected) const;

 private:
  [[nodiscard]] std::string_view token() const;

  std::string_view space_, genotype_;
  std::size_t position_ = 0;
};

}  // namespace cosearch::nas
