// What went wrong in the user's input, said in the user's words and at the user's line.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace cosearch {

/// A place in a file the user wrote. Line and column start at 1; 0 means "the file as a whole".
struct SourceLocation {
  std::string file;
  int line = 0;
  int column = 0;

  /// "file:line:column", without the parts that are unknown.
  [[nodiscard]] std::string text() const;
};

/// Bad usage or bad input (exit code 2). Thrown while reading, never deep in a search.
class UserError : public std::runtime_error {
 public:
  explicit UserError(const std::string& message) : std::runtime_error(message) {}
  UserError(const SourceLocation& where, const std::string& message)
      : std::runtime_error(where.text() + ": " + message), where_(where) {}

  [[nodiscard]] const SourceLocation& where() const { return where_; }

 private:
  SourceLocation where_;
};

/// A file that cannot be opened, read or written (exit code 3).
class FileError : public UserError {
 public:
  using UserError::UserError;
};

/// The member of `known` closest to `word` by edit distance, or empty when none is close enough
/// to be a likely slip of the hand (at most a third of the letters differ).
[[nodiscard]] std::string closest_word(std::string_view word,
                                       const std::vector<std::string>& known);

/// " (did you mean 'x'?)" or, when nothing is close, " (expected one of: a, b, c)".
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string>& known);

}  // namespace cosearch
