// Study files. What they name (tables, technologies) is not read with them.
#include "codesign/study.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cosearch;
  const std::string_view text = fuzz::text_of(data, size);
  const fuzz::MemoryFile file(text);
  fuzz::accepts([&] {
    const codesign::Study study = codesign::read_study(file.path(), {{"data", "there"}});
    fuzz::check(study.text == text, "the study is kept as it is written");
  });
  return 0;
}
