// Images and labels in the IDX format, gzip or not.
#include "datasets/idx.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cosearch;
  const fuzz::MemoryFile file(fuzz::text_of(data, size));
  fuzz::accepts([&] {
    const datasets::IdxImages images = datasets::read_idx_images(file.path());
    fuzz::check(images.pixels.size() == images.count * images.height * images.width,
                "every image has all its pixels");
  });
  fuzz::accepts([&] { static_cast<void>(datasets::read_idx_labels(file.path())); });
  return 0;
}
