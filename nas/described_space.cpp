#include "nas/described_space.h"

#include <algorithm>
#include <utility>

#include "core/user_error.h"
#include "nas/genotype_reader.h"

namespace cosearch::nas {
namespace {

constexpr const char* kNotMade = "-";
constexpr std::size_t kAllTried = 512, kDrawnTried = 256, kLeastTried = 4;
constexpr std::size_t kMostTriedSteps = 1'000'000;
constexpr std::size_t kMostTriedNeighbours = 500, kMostListedChanges = 5'000;

std::vector<std::uint32_t> alternatives_of(const SpaceProgram& program) {
  std::vector<std::uint32_t> counts;
  for (const ProgramChoice& choice : program.choices())
    counts.push_back(static_cast<std::uint32_t>(choice.values.size()));
  return counts;
}

ConditionalChoices choices_of(const SpaceProgram& program, const SourceLocation& where) try {
  std::vector<ConditionalChoice> choices;
  for (const ProgramChoice& choice : program.choices())
    choices.push_back({choice.name, static_cast<std::uint32_t>(choice.values.size()), choice.when});
  std::vector<ChoiceCondition> requirements;
  for (const ProgramRequirement& requirement : program.requirements())
    requirements.push_back(requirement.condition);
  return {std::move(choices), std::move(requirements)};
} catch (const UserError& error) {
  if (!error.where().file.empty()) throw;
  throw UserError(where, error.what());
}

std::vector<std::string> labels_of(const ProgramChoice& choice) {
  std::vector<std::string> labels;
  for (const Value& value : choice.values) labels.push_back(text_of(value));
  labels.emplace_back(kNotMade);
  return labels;
}

/// The message without its place.
std::string problem_of(const UserError& error) {
  const std::string place = error.where().text() + ": ", text = error.what();
  return text.starts_with(place) ? text.substr(place.size()) : text;
}

bool is_same_place(const SourceLocation& a, const SourceLocation& b) {
  return a.file == b.file && a.line == b.line && a.column == b.column;
}

}  // namespace

std::unique_ptr<DescribedSpace> DescribedSpace::make(const SpaceDescription& description,
                                                     const SpaceOptions& options) {
  std::unique_ptr<DescribedSpace> space(
      new DescribedSpace(description, std::make_unique<SpaceProgram>(description, options)));
  space->check_networks();
  return space;
}

DescribedSpace::DescribedSpace(const SpaceDescription& description,
                               std::unique_ptr<const SpaceProgram> program)
    : ChoiceSpace(description.name, alternatives_of(*program)),
      separator_(description.separator),
      program_(std::move(program)),
      choices_(choices_of(*program_, description.where)) {
  for (const ProgramChoice& choice : program_->choices()) {
    labels_.push_back(labels_of(choice));
    for (const std::string& label : labels_.back()) {
      const std::string found = "choice '" + choice.name + "' can be '" + label + "', ";
      if (separator_.empty() && label.size() != 1)
        throw UserError(choice.where,
                        found + "but without a separator every value must be one character");
      if (!separator_.empty() && label.find(separator_) != std::string::npos)
        throw UserError(choice.where, found + "which holds the separator '" + separator_ +
                                          "': genotypes could not be read back; take ';' or '|', "
                                          "or another value");
    }
  }
}

double DescribedSpace::size() const { return choices_.size().convert_to<double>(); }

Choices DescribedSpace::choices_at(std::uint64_t index) const { return choices_.at(index); }

std::string DescribedSpace::sample(Random& random) const { return spell(choices_.sample(random)); }

std::vector<std::string> DescribedSpace::neighbours(const std::string& genotype) const {
  std::vector<std::string> found;
  for (const Choices& neighbour : choices_.neighbours(parse(genotype)))
    found.push_back(spell(neighbour));
  return found;
}

std::string DescribedSpace::crossover(const std::string& first, const std::string& second,
                                      Random& random) const {
  return spell(choices_.crossover(parse(first), parse(second), random));
}

Blueprint DescribedSpace::blueprint(const std::string& genotype) const {
  const Choices choices = parse(genotype);
  try {
    return run(choices);
  } catch (const UserError& error) {
    throw UserError(error.where(), problem_of(error) + " (" + culprits(choices, error) + ")");
  }
}

Blueprint DescribedSpace::run(const Choices& choices) const {
  return program_->run(name() + " " + spell(choices), choices);
}

// The choices without which the error would not be: those that some other value mends.
std::string DescribedSpace::culprits(const Choices& choices, const UserError& error) const {
  std::vector<std::size_t> made, blamed;
  for (std::size_t i = 0; i < choices.size(); ++i)
    if (choices[i] != kIdle) made.push_back(i);
  std::size_t changes = 0;
  for (const std::uint32_t count : choice_counts()) changes += count;
  const std::vector<Choices> neighbours =
      changes > kMostListedChanges ? std::vector<Choices>() : choices_.neighbours(choices);
  for (std::size_t n = 0; n < std::min(neighbours.size(), kMostTriedNeighbours); ++n) {
    const auto changed = std::ranges::find_if(
        choices_.order(), [&](std::size_t i) { return neighbours[n][i] != choices[i]; });
    if (std::ranges::find(blamed, *changed) != blamed.end()) continue;
    try {
      (void)run(neighbours[n]);
      blamed.push_back(*changed);
    } catch (const UserError& other) {
      if (!is_same_place(other.where(), error.where())) blamed.push_back(*changed);
    }
  }
  std::ranges::sort(blamed);
  return "with " + listed(choices, blamed.empty() ? made : blamed) + "; genotype '" +
         spell(choices) + "'";
}

std::string DescribedSpace::listed(const Choices& choices,
                                   const std::vector<std::size_t>& positions) const {
  constexpr std::size_t kReadable = 12;
  std::string text;
  for (std::size_t i = 0; i < std::min(positions.size(), kReadable); ++i)
    text += (i == 0 ? "" : ", ") + program_->choices()[positions[i]].name + " = " +
            labels_[positions[i]][choices[positions[i]]];
  return positions.size() > kReadable ? text + ", ..." : text;
}

std::string DescribedSpace::spell(const Choices& choices) const {
  std::string text;
  for (std::size_t i = 0; i < choices.size(); ++i)
    text += (i == 0 ? "" : separator_) +
            (choices[i] == kIdle ? labels_[i].back() : labels_[i][choices[i]]);
  return text;
}

Choices DescribedSpace::parse(const std::string& genotype) const {
  const std::string space = name();
  GenotypeReader reader(space, genotype);
  Choices written;
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    if (i > 0) reader.expect(separator_);
    starts.push_back(reader.position());
    written.push_back(static_cast<std::uint32_t>(
        reader.label("the choice " + program_->choices()[i].name, labels_[i])));
  }
  reader.expect_end();
  Choices choices(written.size(), kIdle);
  for (const std::size_t i : choices_.order()) {
    if (!choices_.is_made(i, choices)) continue;
    choices[i] = written[i];
    if (written[i] + 1 < labels_[i].size()) continue;
    reader.go_to(starts[i]);
    reader.fail("a value of " + program_->choices()[i].name + ", which this network reads");
  }
  if (const auto broken = choices_.broken_requirement(choices))
    throw UserError(space + ": genotype '" + genotype + "' does not meet the requirement at " +
                    program_->requirements()[*broken].where.text());
  return choices;
}

void DescribedSpace::check_networks() const {
  const std::size_t most = std::max(kLeastTried, kMostTriedSteps / program_->size());
  if (choices_.size() <= std::min(kAllTried, most)) {
    for (std::uint64_t i = 0; choices_.size() > i; ++i) (void)lower(genotype(i));
    return;
  }
  Random random(1, "check of a space");
  for (std::size_t i = 0; i < std::min(kDrawnTried, most); ++i) (void)lower(sample(random));
}

}  // namespace cosearch::nas
