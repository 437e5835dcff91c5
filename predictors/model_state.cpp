#include "predictors/model_state.h"

#include <cmath>

#include "core/user_error.h"

namespace cosearch::predictors {
namespace {

template <class Array>
const Array& find(const std::map<std::string, Array>& arrays, const std::string& name) {
  const auto found = arrays.find(name);
  if (found == arrays.end())
    throw UserError("the predictor has no array '" + name +
                    "': it is damaged or of another kind; train it again");
  return found->second;
}

}  // namespace

const std::vector<double>& ModelState::numbers_of(const std::string& name) const {
  return find(numbers, name);
}

const std::vector<double>& ModelState::numbers_of(const std::string& name, std::size_t size) const {
  const std::vector<double>& values = find(numbers, name);
  if (values.size() != size)
    throw UserError("the predictor's array '" + name + "' has " + std::to_string(values.size()) +
                    " numbers instead of " + std::to_string(size) +
                    ": it is damaged; train it again");
  return values;
}

const std::vector<std::uint8_t>& ModelState::bytes_of(const std::string& name) const {
  return find(bytes, name);
}

bool is_index(double value, std::size_t least, std::size_t end) {
  return value >= static_cast<double>(least) && value < static_cast<double>(end) &&
         value == std::floor(value);
}

}  // namespace cosearch::predictors
