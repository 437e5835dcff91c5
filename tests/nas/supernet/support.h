// What the tests of supernets and of differentiable search share.
#pragma once

#include "nas/choice_space.h"
#include "nas/space.h"
#include "nas/supernet/supernet.h"

namespace cosearch::nas {

/// As the program loads it. Loading LibTorch takes about half a second: once is enough.
inline const SupernetTrainer& trainer() {
  static const auto loaded = load_supernet_trainer(COSEARCH_TRAINING_FOLDER);
  return *loaded;
}

/// A space of 81 networks.
inline const ChoiceSpace& macro() {
  static const auto space = make_space("fashion-macro", {{"positions", 4}});
  return dynamic_cast<const ChoiceSpace&>(*space);
}

}  // namespace cosearch::nas
