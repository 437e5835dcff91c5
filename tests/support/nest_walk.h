// A slow and obvious oracle of count_accesses: walks every step of the static schedule, keeps in
// every instance of every level the set of words that it holds, and counts each word that moves.
// Shares no formula with accel/access_counts.cpp.
#pragma once

#include <cstdint>

#include "accel/access_counts.h"
#include "accel/loop_nest.h"
#include "accel/machine.h"
#include "core/layer.h"

namespace cosearch::accel::test {

/// What count_accesses must return for Accounting::exact. Needs time and memory for every step and
/// every word: a layer of thousands of multiply-accumulates takes milliseconds.
[[nodiscard]] AccessCounts walk(const Layer& layer, const Machine& machine, const LoopNest& nest);

/// Stored words of `tensor` that any multiply-accumulate of `layer` touches.
[[nodiscard]] std::int64_t distinct_words(const Layer& layer, Tensor tensor);

}  // namespace cosearch::accel::test
