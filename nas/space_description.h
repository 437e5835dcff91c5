// A space of networks as a file describes it (docs/spaces.md, "A space in a file"), before names
// are looked up: every text is kept with the place where it stands, to which errors point.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/user_error.h"
#include "nas/space.h"

namespace cosearch::nas {

struct PlacedText {
  std::string text;
  SourceLocation where;
};

struct NamedText {
  std::string name;
  PlacedText value;
  SourceLocation where = {};  ///< of the name
};

/// `kernel: [3, 5]` or `filters: {from: 16, to: 64, step: 16}`.
struct ChoiceDescription {
  std::string name;
  SourceLocation where;
  std::vector<PlacedText> values = {};  ///< unless it is a range
  std::optional<PlacedText> from = {}, to = {}, step = {};
};

struct StepDescription;

/// Steps with what is declared for them.
struct ScopeDescription {
  std::vector<ChoiceDescription> choices;
  std::vector<NamedText> definitions;  ///< `let`
  std::vector<PlacedText> requirements;
  std::vector<StepDescription> steps;
};

struct AlternativeDescription {
  std::string label;
  SourceLocation where;
  ScopeDescription body;
};

struct StepDescription {
  enum class Kind : std::uint8_t {
    use,     ///< an operation, or a block of the file
    repeat,  ///< `subject` times `body`
    choose,  ///< one of `alternatives`: a choice called `subject`
    match,   ///< the alternative whose label `subject` equals
    when,    ///< `body` where `subject` holds
  };
  Kind kind = Kind::use;
  SourceLocation where;
  /// Of Kind::use: what is used. Else the count, the choice's name, the value or the condition.
  PlacedText subject = {};
  std::vector<NamedText> arguments = {};  ///< of Kind::use
  std::vector<PlacedText> operands = {};  ///< `with`: tensors beside the one that comes in
  std::optional<PlacedText> from = {};    ///< a tensor in place of the one that comes in
  std::optional<PlacedText> name = {};
  std::optional<PlacedText> condition = {};  ///< `when` of a step
  std::string index = "i";                   ///< of Kind::repeat
  std::optional<PlacedText> first = {};      ///< the first value of the index; left out: 0
  ScopeDescription body = {};                ///< of Kind::repeat and Kind::when
  std::vector<AlternativeDescription> alternatives = {};
  std::optional<ScopeDescription> otherwise = {};
};

struct BlockDescription {
  std::string name;
  SourceLocation where;
  std::vector<NamedText> parameters = {};  ///< with defaults; "required" where there is none
  ScopeDescription body = {};
};

struct SpaceDescription {
  std::string name;
  SourceLocation where = {};
  std::string separator = ";";  ///< between the values of a genotype
  std::vector<SpaceOption> options = {};
  std::array<PlacedText, 3> input = {};  ///< channels, height, width
  std::vector<BlockDescription> blocks = {};
  ScopeDescription network = {};
};

}  // namespace cosearch::nas
