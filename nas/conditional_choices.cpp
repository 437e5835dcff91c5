#include "nas/conditional_choices.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/user_error.h"

namespace cosearch::nas {
namespace {

constexpr std::size_t kMostStates = 200'000, kMostWork = 20'000'000;
constexpr std::size_t kMostCompletions = 100;

/// Uniform in [0, bound).
WholeNumber below(const WholeNumber& bound, Random& random) {
  constexpr unsigned kWord = 64;
  if (bound <= UINT64_MAX) return random.below(static_cast<std::uint64_t>(bound));
  const auto bits = static_cast<unsigned>(boost::multiprecision::msb(bound)) + 1;
  while (true) {
    WholeNumber drawn = 0;
    for (unsigned have = 0; have < bits; have += kWord) drawn = (drawn << kWord) + random.bits64();
    drawn &= (WholeNumber(1) << bits) - 1;
    if (drawn < bound) return drawn;
  }
}

}  // namespace

ConditionalChoices::ConditionalChoices(std::vector<ConditionalChoice> choices,
                                       std::vector<ChoiceCondition> requirements)
    : choices_(std::move(choices)), requirements_(std::move(requirements)) {
  sort();
  find_live_choices();
  count();
}

// Each choice comes as late as the first that depends on it allows: its value is then not carried
// along for longer than needed.
void ConditionalChoices::sort() {
  std::vector<bool> decides(choices_.size(), false);
  for (const ConditionalChoice& choice : choices_)
    if (choice.when)
      for (const std::size_t position : choice.when->positions) decides[position] = true;
  std::vector<int> marks(choices_.size(), 0);
  for (std::size_t i = 0; i < choices_.size(); ++i)
    if (!decides[i]) visit(i, marks);
  for (std::size_t i = 0; i < choices_.size(); ++i) visit(i, marks);
}

void ConditionalChoices::visit(std::size_t position, std::vector<int>& marks) {
  constexpr int kOpen = 1, kDone = 2;
  if (marks[position] == kDone) return;
  if (marks[position] == kOpen)
    throw UserError("whether '" + choices_[position].name +
                    "' is used depends on choices that depend on '" + choices_[position].name +
                    "': make one of them outside the conditions");
  marks[position] = kOpen;
  if (choices_[position].when)
    for (const std::size_t earlier : choices_[position].when->positions) visit(earlier, marks);
  marks[position] = kDone;
  order_.push_back(position);
}

void ConditionalChoices::find_live_choices() {
  const std::size_t n = choices_.size();
  std::vector<std::size_t> decision(n), last_use(n, 0);
  for (std::size_t k = 0; k < n; ++k) decision[order_[k]] = k;
  for (std::size_t i = 0; i < n; ++i)
    if (choices_[i].when)
      for (const std::size_t read : choices_[i].when->positions)
        last_use[read] = std::max(last_use[read], decision[i]);
  due_.resize(n);
  for (std::size_t r = 0; r < requirements_.size(); ++r) {
    std::size_t last = 0;
    for (const std::size_t read : requirements_[r].positions) last = std::max(last, decision[read]);
    for (const std::size_t read : requirements_[r].positions)
      last_use[read] = std::max(last_use[read], last);
    due_[last].push_back(r);
  }
  live_.resize(n + 1);
  for (std::size_t k = 0; k <= n; ++k)
    for (std::size_t i = 0; i < n; ++i)
      if (decision[i] < k && last_use[i] >= k) live_[k].push_back(i);
}

ConditionalChoices::State ConditionalChoices::state_after(std::size_t decision,
                                                          const Choices& choices) const {
  State state;
  for (const std::size_t position : live_[decision]) state.push_back(choices[position]);
  return state;
}

std::vector<std::uint32_t> ConditionalChoices::values_of(std::size_t position,
                                                         const Choices& choices) const {
  if (!is_made(position, choices)) return {kIdle};
  std::vector<std::uint32_t> values(choices_[position].alternatives);
  for (std::uint32_t i = 0; i < values.size(); ++i) values[i] = i;
  return values;
}

bool ConditionalChoices::is_allowed_after(std::size_t decision, const Choices& choices) const {
  return std::ranges::all_of(due_[decision],
                             [&](std::size_t r) { return requirements_[r].holds(choices); });
}

const WholeNumber& ConditionalChoices::count_after(std::size_t decision,
                                                   const Choices& choices) const {
  static const WholeNumber kNone = 0;
  const auto found = remaining_[decision].find(state_after(decision, choices));
  return found == remaining_[decision].end() ? kNone : found->second;
}

void ConditionalChoices::count() {
  const std::size_t n = choices_.size();
  remaining_.resize(n + 1);
  remaining_[0][{}] = 0;
  std::size_t states = 1, work = 0;
  Choices choices(n, kIdle);
  const auto require_few = [&](std::size_t k) {
    if (states > kMostStates || work > kMostWork)
      throw UserError(
          "too many choices decide together over what else is chosen: more than " +
          std::to_string(kMostStates) +
          " of their combinations would have to be told apart to count the space (at '" +
          choices_[order_[k]].name + "')");
  };
  // Runs `use` on what follows decision k from each state before it, with the number of values that
  // lead there.
  const auto for_each_step = [&](std::size_t k, const auto& use) {
    const std::size_t position = order_[k];
    const bool matters =
        !due_[k].empty() || std::ranges::find(live_[k + 1], position) != live_[k + 1].end();
    for (auto& [state, count] : remaining_[k]) {
      for (std::size_t i = 0; i < state.size(); ++i) choices[live_[k][i]] = state[i];
      std::vector<std::uint32_t> values = values_of(position, choices);
      const std::size_t alike = matters ? 1 : values.size();
      if (!matters) values.resize(1);
      work += values.size();
      require_few(k);
      for (const std::uint32_t value : values) {
        choices[position] = value;
        if (is_allowed_after(k, choices)) use(count, alike, state_after(k + 1, choices));
      }
    }
  };
  for (std::size_t k = 0; k < n; ++k)
    for_each_step(k, [&](WholeNumber&, std::size_t, State next) {
      if (remaining_[k + 1].emplace(std::move(next), 0).second) ++states;
      require_few(k);
    });
  for (auto& [state, count] : remaining_[n]) count = 1;
  for (std::size_t k = n; k-- > 0;)
    for_each_step(k, [&](WholeNumber& count, std::size_t alike, const State& next) {
      count += alike * remaining_[k + 1].at(next);
    });
  size_ = remaining_[0].at({});
  if (size_ == 0) throw UserError("no combination of choices meets all requirements");
}

Choices ConditionalChoices::at(WholeNumber index) const {
  Choices choices(choices_.size(), kIdle);
  for (std::size_t k = 0; k < order_.size(); ++k)
    for (const std::uint32_t value : values_of(order_[k], choices)) {
      choices[order_[k]] = value;
      if (!is_allowed_after(k, choices)) continue;
      const WholeNumber& count = count_after(k + 1, choices);
      if (index < count) break;
      index -= count;
    }
  return choices;
}

Choices ConditionalChoices::sample(Random& random) const { return at(below(size_, random)); }

bool ConditionalChoices::is_made(std::size_t position, const Choices& choices) const {
  return !choices_[position].when || choices_[position].when->holds(choices);
}

std::optional<std::size_t> ConditionalChoices::broken_requirement(const Choices& choices) const {
  for (std::size_t r = 0; r < requirements_.size(); ++r)
    if (!requirements_[r].holds(choices)) return r;
  return std::nullopt;
}

void ConditionalChoices::complete(std::size_t decision, Choices& partial, const Choices& here,
                                  std::size_t changed, std::uint32_t value,
                                  Completions& result) const {
  if (decision == order_.size()) {
    if (result.found.size() == kMostCompletions)
      result.are_too_many = true;
    else
      result.found.push_back(partial);
    return;
  }
  const std::size_t position = order_[decision];
  std::vector<std::uint32_t> values = values_of(position, partial);
  if (position == changed)
    values = {value};
  else if (values.front() != kIdle && here[position] != kIdle)
    values = {here[position]};
  for (const std::uint32_t one : values) {
    if (result.are_too_many) return;
    partial[position] = one;
    complete(decision + 1, partial, here, changed, value, result);
  }
}

ConditionalChoices::Completions ConditionalChoices::completions(const Choices& here,
                                                                std::size_t changed,
                                                                std::uint32_t value) const {
  Completions result;
  Choices partial(choices_.size(), kIdle);
  complete(0, partial, here, changed, value, result);
  if (result.are_too_many) result.found.resize(1);  // the first values, which come first
  std::erase_if(result.found, [&](const Choices& one) { return broken_requirement(one); });
  return result;
}

bool ConditionalChoices::is_first_completion(const Choices& combination,
                                             const Choices& other) const {
  for (std::size_t i = 0; i < combination.size(); ++i)
    if (other[i] == kIdle && combination[i] != kIdle && combination[i] != 0) return false;
  return true;
}

std::vector<Choices> ConditionalChoices::neighbours(const Choices& here) const {
  std::vector<Choices> found;
  for (std::size_t i = 0; i < here.size(); ++i) {
    if (here[i] == kIdle) continue;
    for (std::uint32_t value = 0; value < choices_[i].alternatives; ++value) {
      if (value == here[i]) continue;
      for (Choices& there : completions(here, i, value).found)
        if (!completions(there, i, here[i]).are_too_many || is_first_completion(here, there))
          found.push_back(std::move(there));
    }
  }
  return found;
}

Choices ConditionalChoices::crossover(const Choices& first, const Choices& second,
                                      Random& random) const {
  Choices child(choices_.size(), kIdle);
  for (const std::size_t i : order_) {
    if (!is_made(i, child)) continue;
    if (first[i] != kIdle && second[i] != kIdle)
      child[i] = random.below(2) == 1 ? second[i] : first[i];
    else if (first[i] != kIdle || second[i] != kIdle)
      child[i] = first[i] != kIdle ? first[i] : second[i];
    else
      child[i] = static_cast<std::uint32_t>(random.below(choices_[i].alternatives));
  }
  return broken_requirement(child) ? first : child;
}

}  // namespace cosearch::nas
