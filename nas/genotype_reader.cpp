#include "nas/genotype_reader.h"

#include <algorithm>

#include "core/user_error.h"

namespace cosearch::nas {
namespace {

bool is_word_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// Long lists, which are grids, by their first two and their last.
std::string abridged(const std::vector<std::string>& words) {
  constexpr std::size_t kReadable = 16;
  if (words.size() <= kReadable) return joined(words);
  return joined({words[0], words[1], "...", words.back()});
}

}  // namespace

std::string_view GenotypeReader::token() const {
  std::size_t end = position_;
  while (end < genotype_.size() && is_word_letter(genotype_[end])) ++end;
  return genotype_.substr(position_, end - position_);
}

void GenotypeReader::fail(const std::string& expected) const {
  throw UserError(std::string(space_) + ": genotype '" + std::string(genotype_) + "', character " +
                  std::to_string(position_ + 1) + ": expected " + expected);
}

void GenotypeReader::expect(std::string_view text) {
  if (genotype_.substr(position_, text.size()) != text) fail("'" + std::string(text) + "'");
  position_ += text.size();
}

void GenotypeReader::expect_end() {
  if (!at_end()) fail("the end");
}

std::size_t GenotypeReader::word(const std::vector<std::string>& words) {
  const std::string_view found = token();
  const auto match = std::find(words.begin(), words.end(), found);
  if (match == words.end()) {
    const std::string near = closest_word(found, words);
    fail("one of " + joined(words) + (near.empty() ? "" : " (did you mean '" + near + "'?)"));
  }
  position_ += found.size();
  return static_cast<std::size_t>(match - words.begin());
}

std::size_t GenotypeReader::number(std::string_view what,
                                   const std::vector<std::int64_t>& allowed) {
  std::vector<std::string> words;
  for (const std::int64_t value : allowed) words.push_back(std::to_string(value));
  const auto match = std::find(words.begin(), words.end(), token());
  if (match == words.end()) fail(std::string(what) + ", one of " + abridged(words));
  position_ += match->size();
  return static_cast<std::size_t>(match - words.begin());
}

std::size_t GenotypeReader::label(std::string_view what, const std::vector<std::string>& labels) {
  std::size_t best = labels.size();
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (genotype_.substr(position_, labels[i].size()) == labels[i] &&
        (best == labels.size() || labels[i].size() > labels[best].size()))
      best = i;
  if (best == labels.size()) fail(std::string(what) + ", one of " + abridged(labels));
  position_ += labels[best].size();
  return best;
}

std::size_t GenotypeReader::digit(std::string_view what, std::size_t alternatives) {
  const char first = at_end() ? '\0' : genotype_[position_];
  if (first < '0' || first >= static_cast<char>('0' + alternatives))
    fail(std::string(what) + ", a digit from 0 to " + std::to_string(alternatives - 1));
  ++position_;
  return static_cast<std::size_t>(first - '0');
}

}  // namespace cosearch::nas
