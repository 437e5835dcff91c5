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

}  // namespace cosearch::accel
