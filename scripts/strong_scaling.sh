#!/usr/bin/env bash
# Times one search on one and on all processors of this machine, with threads and with MPI ranks, and
# prints the table of docs/scaling.md.
#
#   scripts/strong_scaling.sh
#
# Builds the program in build/bench (release, without LibTorch). Each row is the least of five runs;
# run it on a quiet machine. The stores written by all of them must hold the same points.
set -euo pipefail
# shellcheck source=scripts/steps.sh
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

build=build/bench
runs=5
program=$PWD/$build/codesign/cli/cosearch
study=$PWD/examples/strong_scaling.yaml
processors=$(nproc)

step "building the program in $build" >&2
quietly cmake --preset release -B "$build" -DCOSEARCH_TESTS=ON -DCOSEARCH_TORCH=OFF
quietly cmake --build "$build" --target cosearch_cli --parallel "$processors"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# least_ms COMMAND...: wall-clock milliseconds of the fastest run.
least_ms() {
  local begin end
  for ((i = 0; i < runs; ++i)); do
    begin=${EPOCHREALTIME/./}
    "$@" >out 2>errors || { cat errors >&2; return 1; }
    end=${EPOCHREALTIME/./}
    echo $(((end - begin) / 1000))
  done | sort --numeric-sort | head -n 1
}

search() { "$program" run "$study" -o "$1.h5" --force --quiet --jobs "$2"; }
search_on_ranks() {
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun -n "$2" \
    "$program" run "$study" -o "$1.h5" --force --quiet --jobs 1 --mpi
}

row() { # NAME MILLISECONDS_ON_ONE MILLISECONDS_ON_ALL
  awk -v name="$1" -v one="$2" -v all="$3" -v n="$processors" 'BEGIN {
    printf "| %s | %.2f | %.2f | %.2f | %.0f %% |\n", name, one / 1e3, all / 1e3, one / all, 100 * one / all / n }'
}

one=$(least_ms search one 1)
all=$(least_ms search all "$processors")
rank=$(least_ms search_on_ranks rank 1)
ranks=$(least_ms search_on_ranks ranks "$processors")
starting=$(OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 least_ms mpirun -n "$processors" "$program" --version)
for store in one all rank ranks; do "$program" pareto "$store.h5" -o "$store.csv" >/dev/null; done
for store in all rank ranks; do cmp one.csv "$store.csv"; done

echo "| | on 1 [s] | on $processors [s] | speed-up | efficiency |"
echo "| --- | ---: | ---: | ---: | ---: |"
row "threads, \`--jobs\`" "$one" "$all"
row "ranks, \`mpirun -n\`" "$rank" "$ranks"
awk -v ms="$starting" 'BEGIN { printf "\nOf which starting and ending the ranks alone (`mpirun cosearch --version`): %.2f s.\n", ms / 1e3 }'
