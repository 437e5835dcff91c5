#!/usr/bin/env bash
# Builds the fuzz targets of tests/fuzz with clang, libFuzzer and the address and undefined-behaviour
# sanitizers, and runs each for a while, as many side by side as there are processors.
#
#   scripts/fuzz.sh [SECONDS] [TARGET]...    # 60 seconds each, all of them
#
# What is found interesting stays in build/fuzz/corpus for the next run. An input that makes a target
# fail is kept in build/fuzz/failures: run build/fuzz/tests/fuzz/TARGET_fuzz on it to see why. Exits
# with 0 only when no target failed.
set -euo pipefail
# shellcheck source=scripts/steps.sh
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

seconds=${1:-60}
[[ $seconds =~ ^[0-9]+$ ]] || {
  echo "usage: scripts/fuzz.sh [SECONDS] [TARGET]..." >&2
  exit 2
}
shift $(($# > 0 ? 1 : 0))
targets=("$@")
if [[ ${#targets[@]} == 0 ]]; then
  for source in tests/fuzz/*_fuzz.cpp; do
    target=${source##*/}
    targets+=("${target%_fuzz.cpp}")
  done
fi

step "building with clang"
quietly cmake --preset fuzz
quietly cmake --build build/fuzz --target fuzz_targets --parallel "$(nproc)"

# HDF5 1.10 does not free all that it had read of a file that turns out to be damaged.
export LSAN_OPTIONS=suppressions=$PWD/tests/datasets/leaks_of_hdf5.txt:print_suppressions=0

# fuzz TARGET: for $seconds.
fuzz() {
  local corpus=build/fuzz/corpus/$1
  local -a inputs=("$corpus")
  mkdir -p "$corpus"
  [[ ! -d tests/fuzz/corpus/$1 ]] || inputs+=("tests/fuzz/corpus/$1")
  [[ ! -f tests/fuzz/$1.dict ]] || inputs+=("-dict=tests/fuzz/$1.dict")
  # Inputs of up to 4 kB; ten seconds for one is a bug.
  quietly "build/fuzz/tests/fuzz/${1}_fuzz" "${inputs[@]}" -max_total_time="$seconds" \
    -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/failures/$1-"
}

mkdir -p build/fuzz/failures
declare -A target_of
failed=()

# reap: waits for one target to end.
reap() {
  local process
  wait -n -p process || failed+=("${target_of[$process]}")
}

for target in "${targets[@]}"; do
  [[ $(jobs -rp | wc -l) -lt $(nproc) ]] || reap
  step "fuzzing $target for $seconds s"
  fuzz "$target" &
  target_of[$!]=$target
done
while [[ -n $(jobs -p) ]]; do reap; done

if [[ ${#failed[@]} != 0 ]]; then
  step "FAILED: ${failed[*]}; inputs in build/fuzz/failures"
  exit 1
fi
