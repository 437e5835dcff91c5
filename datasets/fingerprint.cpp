#include "datasets/fingerprint.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace cosearch::datasets {

Fingerprint fingerprint_of(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

}  // namespace cosearch::datasets
