// The template machines as files.
#pragma once

#include <fmt/format.h>

#include <string>

#include "accel/accelerator.h"

namespace cosearch::test {

/// What find_machine takes for the template file with the parameters of `p`.
inline std::string template_file(const accel::AcceleratorParameters& p) {
  return fmt::format(
      "{}:pe_rows={},pe_columns={},pe_buffer={}B,shared_buffer={}B,noc_bandwidth={}B/cycle,"
      "dram_bandwidth={}B/cycle,clock={}Hz,precision={}",
      p.template_name, p.pe_rows, p.pe_columns, p.pe_buffer.value, p.shared_buffer.value,
      p.noc_bandwidth, p.dram_bandwidth, p.clock.value, p.precision_bits);
}

}  // namespace cosearch::test
