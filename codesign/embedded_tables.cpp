#include "codesign/embedded_tables.h"

#include "core/user_error.h"

namespace cosearch::codesign {

datasets::Table embedded_accuracies(const std::string& space) {
  if (space != "fashion-macro")
    throw UserError("there is no embedded table of accuracies for the space " + space +
                    " (there is one for fashion-macro); name a CSV file instead");
  return datasets::Table::parse(kFashionMacroTable, "embedded table fashion-macro");
}

}  // namespace cosearch::codesign
