// The validation cases that ship with the program: codesign/data/validation/*.yaml.
#include <string_view>
#include <utility>

#include "codesign/validation.h"

namespace cosearch::codesign {

extern const std::string_view kValidationEyeriss, kValidationTpu, kValidationNvdla,
    kValidationSimba, kValidationShidiannao, kValidationZigzag, kValidationTimeloop,
    kValidationDerived;

std::vector<ValidationSuite> shipped_validation() {
  const std::pair<std::string_view, const char*> files[] = {
      {kValidationEyeriss, "eyeriss.yaml"},       {kValidationTpu, "tpu.yaml"},
      {kValidationNvdla, "nvdla.yaml"},           {kValidationSimba, "simba.yaml"},
      {kValidationShidiannao, "shidiannao.yaml"}, {kValidationZigzag, "zigzag.yaml"},
      {kValidationTimeloop, "timeloop.yaml"},     {kValidationDerived, "derived.yaml"}};
  std::vector<ValidationSuite> suites;
  for (const auto& [text, name] : files)
    suites.push_back(read_validation(datasets::parse_yaml(text, name)));
  return suites;
}

}  // namespace cosearch::codesign
