#!/usr/bin/env bash
# Measures how fast the parts of the program are and writes docs/performance.md.
#
#   scripts/bench.sh
#
# Builds the benchmarks in build/bench (release, without LibTorch), runs each five times, and times
# the start of $COSEARCH, or of the program built beside them, twenty times. Every number of our own
# in the page is measured here; run it on a quiet machine.
set -euo pipefail
[[ -z ${COSEARCH:-} ]] || COSEARCH=$(realpath "$COSEARCH")
# shellcheck source=scripts/steps.sh
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

build=build/bench
program=${COSEARCH:-$build/codesign/cli/cosearch}
page=docs/performance.md
starts=20

targets=(cosearch_bench datasets_bench cosearch_scale)
[[ -n ${COSEARCH:-} ]] || targets+=(cosearch_cli)

step "building the benchmarks in $build"
quietly cmake --preset release -B "$build" -DCOSEARCH_TESTS=ON -DCOSEARCH_TORCH=OFF
quietly cmake --build "$build" --target "${targets[@]}" --parallel "$(nproc)"

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
cut -d' ' -f1 /proc/loadavg >"$results/load"

for bench in bench/cosearch_bench datasets/datasets_bench; do
  step "running $bench"
  # Its note that Debian built the benchmark library with assertions does not concern our code.
  "$build/tests/$bench" --benchmark_repetitions=5 --benchmark_report_aggregates_only=true \
    --benchmark_min_time=0.2 --benchmark_format=json >"$results/${bench#*/}.json" 2>/dev/null
done

for part in "store 10000000" "search 1000"; do
  step "measuring at scale: $part"
  # shellcheck disable=SC2086  # two words
  set -- $part
  mkdir "$results/work"
  "$build/tests/bench/cosearch_scale" "$1" "$results/work" "$2" >"$results/scale_$1.json"
  rm -r "$results/work"
done

step "starting $program $starts times"
for ((i = 0; i < starts; ++i)); do
  begin=${EPOCHREALTIME/./}
  "$program" --help >/dev/null
  end=${EPOCHREALTIME/./}
  echo $((end - begin))
done | sort --numeric-sort >"$results/starts_us"

step "writing $page"
/usr/bin/python3 -B scripts/performance_page.py "$results" >"$results/page"
mv "$results/page" "$page"
chmod 644 "$page"
