// What a step of a space file may do: each operation with its arguments, and the call of
// NetworkBuilder that it stands for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nas/blocks.h"
#include "nas/space_expression.h"

namespace cosearch::nas {

struct OperationArgument {
  std::string name;
  /// Left out: must be given.
  std::optional<Value> otherwise = std::nullopt;
  /// Of a number.
  std::int64_t least = 1, most = 1'000'000;
  /// Of a word; empty: the argument is a number.
  std::vector<std::string> words = {};
};

/// The tensors that an operation reads: the one that comes in first.
using Operands = std::vector<Feature>;
using Arguments = std::vector<Value>;  ///< in the order of OperationInfo::arguments

struct OperationInfo {
  std::string name;
  std::vector<OperationArgument> arguments;
  bool takes_operands = false;  ///< `with`: at least one tensor beside the one that comes in
  Feature (*append)(NetworkBuilder& builder, const std::string& name, const Operands& operands,
                    const Arguments& arguments);
};

[[nodiscard]] const std::vector<OperationInfo>& space_operations();
/// Nothing when no operation is called `name`.
[[nodiscard]] const OperationInfo* find_operation(const std::string& name);

}  // namespace cosearch::nas
