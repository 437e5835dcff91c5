// Spaces by name or from a file: what every command and study accepts where a space is asked for.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "datasets/document.h"
#include "nas/space.h"
#include "nas/space_description.h"

namespace cosearch::codesign {

extern const std::string_view kSpaceSchema;

/// Reads a space from YAML (schema: codesign/schema/space.schema.json; language: docs/spaces.md).
/// Throws UserError at the line and column of what is wrong with it.
[[nodiscard]] nas::SpaceDescription read_space(const datasets::Document& document);

/// A space as it was asked for, whole: a file may change or go, what was made of it does not.
struct SpaceSource {
  std::string name;       ///< of a space, or the path of a file
  std::string text = {};  ///< of the file; empty for a space of the program's own

  [[nodiscard]] bool is_file() const { return !text.empty(); }
};

/// "mine.yaml" and "3;5" of "mine.yaml:3;5"; two empty texts where there is no genotype.
[[nodiscard]] std::pair<std::string, std::string> split_genotype(const std::string& what);

/// Reads the file, if `what` is one; names are not looked up. Throws FileError.
[[nodiscard]] SpaceSource space_source(const std::string& what);

/// Throws UserError for an unknown name and for what is wrong with the file.
[[nodiscard]] std::vector<nas::SpaceOption> options_of(const SpaceSource& source);

/// Throws UserError as `options_of`, and for an unknown option or a value out of its range.
[[nodiscard]] std::unique_ptr<nas::NetworkSpace> make_space(const SpaceSource& source,
                                                            const nas::SpaceOptions& options = {});

}  // namespace cosearch::codesign
