#!/usr/bin/env bash
# Installs what the tests need (apt), builds everything and runs every test: first as a developer
# builds, with assertions, then under the address and undefined-behaviour sanitizers, then what threads
# share under the thread sanitizer; then fuzzes the parsers of other people's files, where clang is there.
#
#   scripts/test.sh [--fast] [ARGUMENTS FOR CTEST]
#
#   scripts/test.sh                  # all of it
#   scripts/test.sh --fast           # without the sanitizers and without fuzzing
#   scripts/test.sh --fast -R core   # only tests whose name contains "core"
#
# Exits with 0 only when every test of every build passed. With CI=true warnings are errors.
set -euo pipefail
# shellcheck source=scripts/steps.sh
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

fast=false
if [[ ${1:-} == --fast ]]; then
  fast=true
  shift
fi
# Not under the sanitizers: what they add misleads the compiler's analysis of uninitialised values.
werror=OFF
[[ ${CI:-} != true ]] || werror=ON
failed=()

# build_and_test PRESET BUILD_FOLDER WARNINGS_ARE_ERRORS TARGETS ARGUMENTS FOR CTEST
build_and_test() {
  local preset=$1 build=$2 warnings_are_errors=$3
  local -a targets
  read -ra targets <<<"$4"
  shift 4
  step "configuring preset $preset in $build"
  quietly cmake --preset "$preset" -B "$build" -DCOSEARCH_WERROR="$warnings_are_errors"
  step "building with $(nproc) jobs"
  quietly cmake --build "$build" --parallel "$(nproc)" --target "${targets[@]}"
  step "testing"
  # Tests run side by side: OpenMP's idle threads must sleep, or they slow each other down tenfold.
  OMP_WAIT_POLICY=passive ctest --test-dir "$build" --parallel "$(nproc)" --output-on-failure "$@" ||
    failed+=("$build")
}

step "packages"
scripts/packages.sh full

# Those that enumerate large map spaces take minutes: ctest -L long, by hand.
build_and_test dev build/test "$werror" all --label-exclude long "$@"
if ! $fast; then
  # Not under the sanitizers: tests of the sources and of the installed package, which learn nothing
  # there. (Nor long comparisons with reference numbers, whose code the other tests run too: the
  # preset does not build them.)
  build_and_test asan build/test-asan OFF all --label-exclude repository "$@"
  # The driver and its workers: all threads start there. (codesign_test has the label too, but takes ten
  # times as long to build: ctest --preset tsan -L threads, by hand.)
  build_and_test tsan build/test-tsan OFF "codesign_search_test racy_workers" \
    -R "codesign_search_test|races_of_ours" --no-tests=error
  if command -v clang++ >/dev/null; then
    scripts/fuzz.sh 8 || failed+=(build/fuzz)
  else
    step "no clang++: the parsers are not fuzzed"
  fi
fi

if [[ ${#failed[@]} != 0 ]]; then
  step "FAILED in ${failed[*]}"
  exit 1
fi
