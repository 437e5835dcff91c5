#include "codesign/cli/partial_numbers.h"

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/user_error.h"

namespace cosearch::codesign {

PartialNumbers::PartialNumbers(const std::filesystem::path& output, std::string request)
    : path_(output.string() + ".part"), request_(std::move(request)) {
  std::ifstream file(path_);
  for (std::string line; std::getline(file, line);) {
    // A line cut short by a crash is found anew.
    const auto row = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (row.is_discarded()) continue;
    if (row["request"] != request_)
      throw UserError({path_.string()},
                      "was begun with other scores or options; remove it to start anew");
    std::vector<double>& values = numbers_[row["genotype"]];
    for (const auto& value : row["scores"])
      values.push_back(value.is_null() ? std::numeric_limits<double>::quiet_NaN()
                                       : value.get<double>());
  }
}

void PartialNumbers::add(const std::string& genotype, std::vector<double> values) {
  // JSON has no NaN: it is written as null.
  std::ofstream file(path_, std::ios::app);
  file << nlohmann::json{{"request", request_}, {"genotype", genotype}, {"scores", values}}
       << std::endl;
  if (!file) throw FileError({path_.string()}, "cannot be written");
  numbers_[genotype] = std::move(values);
}

}  // namespace cosearch::codesign
