#include "accel/accelerator_space.h"

#include <algorithm>
#include <utility>

#include "core/user_error.h"

namespace cosearch::accel {
namespace {

/// Calls visit(name, list, parameter) for each list of choices and the parameter it feeds.
template <class Choices, class Parameters, class Visit>
void for_each_list(Choices& choices, Parameters& parameters, Visit visit) {
  visit("pe_rows", choices.pe_rows, parameters.pe_rows);
  visit("pe_columns", choices.pe_columns, parameters.pe_columns);
  visit("pe_buffer", choices.pe_buffer, parameters.pe_buffer);
  visit("shared_buffer", choices.shared_buffer, parameters.shared_buffer);
  visit("noc_bandwidth", choices.noc_bandwidth, parameters.noc_bandwidth);
  visit("dram_bandwidth", choices.dram_bandwidth, parameters.dram_bandwidth);
  visit("clock", choices.clock, parameters.clock);
  visit("precision_bits", choices.precision_bits, parameters.precision_bits);
}

void add_new(std::vector<std::string>& problems, std::vector<std::string> more) {
  for (std::string& problem : more)
    if (std::find(problems.begin(), problems.end(), problem) == problems.end())
      problems.push_back(std::move(problem));
}

}  // namespace

std::vector<std::string> problems_in(const AcceleratorChoices& choices) {
  std::vector<std::string> problems;
  AcceleratorParameters first;
  first.template_name = choices.template_name;
  for_each_list(choices, first, [&](const char* name, const auto& list, auto& parameter) {
    if (list.empty()) {
      problems.push_back(std::string(name) + ": has no values");
      return;
    }
    parameter = list.front();
    for (std::size_t i = 1; i < list.size(); ++i)
      if (!(list[i - 1] < list[i])) {
        problems.push_back(std::string(name) + ": values must increase, value " +
                           std::to_string(i + 1) + " does not");
        return;
      }
  });
  // Parameters are judged one by one, so machines that differ from the first in one value show
  // every value once.
  add_new(problems, problems_in(first));
  AcceleratorParameters other = first;
  for_each_list(choices, other, [&](const char*, const auto& list, auto& parameter) {
    const auto kept = parameter;
    for (const auto& value : list) {
      parameter = value;
      add_new(problems, problems_in(other));
    }
    parameter = kept;
  });
  return problems;
}

AcceleratorSpace::AcceleratorSpace(AcceleratorChoices choices) : choices_(std::move(choices)) {
  const auto problems = problems_in(choices_);
  if (problems.empty()) return;
  std::string message = "accelerator space";
  for (std::size_t i = 0; i < problems.size(); ++i) message += (i == 0 ? ": " : "; ") + problems[i];
  throw UserError(message);
}

AcceleratorSpace::Digits AcceleratorSpace::radices() const {
  Digits radices{};
  AcceleratorParameters unused;
  std::size_t i = 0;
  for_each_list(choices_, unused,
                [&](const char*, const auto& list, auto&) { radices[i++] = list.size(); });
  return radices;
}

std::uint64_t AcceleratorSpace::size() const {
  std::uint64_t size = 1;
  for (const std::size_t radix : radices()) size *= radix;
  return size;
}

AcceleratorSpace::Digits AcceleratorSpace::decode(std::uint64_t index) const {
  const Digits radix = radices();
  Digits digits{};
  for (std::size_t i = kParameters; i-- > 0;) {
    digits[i] = index % radix[i];
    index /= radix[i];
  }
  return digits;
}

std::uint64_t AcceleratorSpace::encode(const Digits& digits) const {
  const Digits radix = radices();
  std::uint64_t index = 0;
  for (std::size_t i = 0; i < kParameters; ++i) index = index * radix[i] + digits[i];
  return index;
}

AcceleratorParameters AcceleratorSpace::at(std::uint64_t index) const {
  const Digits digits = decode(index);
  AcceleratorParameters parameters;
  parameters.template_name = choices_.template_name;
  std::size_t i = 0;
  for_each_list(choices_, parameters, [&](const char*, const auto& list, auto& parameter) {
    parameter = list[digits[i++]];
  });
  return parameters;
}

bool AcceleratorSpace::contains(const AcceleratorParameters& parameters) const {
  bool found = parameters.template_name == choices_.template_name;
  for_each_list(choices_, parameters, [&](const char*, const auto& list, const auto& parameter) {
    found = found && std::find(list.begin(), list.end(), parameter) != list.end();
  });
  return found;
}

std::vector<std::uint64_t> AcceleratorSpace::neighbours(std::uint64_t index) const {
  const Digits radix = radices(), digits = decode(index);
  std::vector<std::uint64_t> neighbours;
  for (std::size_t i = 0; i < kParameters; ++i) {
    Digits moved = digits;
    if (digits[i] > 0) {
      moved[i] = digits[i] - 1;
      neighbours.push_back(encode(moved));
    }
    if (digits[i] + 1 < radix[i]) {
      moved[i] = digits[i] + 1;
      neighbours.push_back(encode(moved));
    }
  }
  return neighbours;
}

}  // namespace cosearch::accel
