// The machines that ship with the library, as the text of their files (accel/machines/*.yaml). What
// they mean is codesign/machine_file.h's to read.
#pragma once

#include <string_view>
#include <vector>

namespace cosearch::accel {

struct ShippedMachine {
  std::string_view name;
  std::string_view text;
};

[[nodiscard]] const std::vector<ShippedMachine>& shipped_machines();

/// A template under a name of its own; `source` says which of its sizes are published and which
/// assumed.
struct NamedAccelerator {
  std::string_view name;
  std::string_view
      machine;  ///< a shipped machine with parameters, as codesign's find_machine reads
  std::string_view source;
};

[[nodiscard]] const std::vector<NamedAccelerator>& named_accelerators();

}  // namespace cosearch::accel
