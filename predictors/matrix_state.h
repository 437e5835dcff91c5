// Matrices as lists of numbers, column by column.
#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "predictors/model_state.h"

namespace cosearch::predictors {

[[nodiscard]] inline std::vector<double> as_list(const Eigen::MatrixXd& matrix) {
  return {matrix.data(), matrix.data() + matrix.size()};
}

/// Throws UserError unless the array `name` has rows x columns numbers.
[[nodiscard]] inline Eigen::MatrixXd as_matrix(const ModelState& state, const std::string& name,
                                               Eigen::Index rows, Eigen::Index columns) {
  const std::vector<double>& list =
      state.numbers_of(name, static_cast<std::size_t>(rows * columns));
  return Eigen::Map<const Eigen::MatrixXd>(list.data(), rows, columns);
}

}  // namespace cosearch::predictors
