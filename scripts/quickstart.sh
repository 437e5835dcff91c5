#!/usr/bin/env bash
# From a fresh Debian 12 machine to a Pareto front: installs what the program needs (apt), builds
# it, and runs the example study. Writes quickstart.h5 and front.csv in the repository's root.
#
#   scripts/quickstart.sh
#
# Idempotent: a second run takes seconds.
set -euo pipefail
# shellcheck source=scripts/steps.sh
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

build=build/quickstart
cosearch=$build/codesign/cli/cosearch

step "packages"
scripts/packages.sh quickstart

step "configuring in $build"
quietly cmake --preset release -B "$build" -DCOSEARCH_TESTS=OFF -DCOSEARCH_TORCH=OFF

step "building the program with $(nproc) jobs (some minutes the first time)"
quietly cmake --build "$build" --target cosearch_cli --parallel "$(nproc)"

step "searching networks and chips together: cosearch run examples/quickstart.yaml -o quickstart.h5"
"$cosearch" run examples/quickstart.yaml -o quickstart.h5 --force

step "exporting the front: cosearch pareto quickstart.h5 -o front.csv"
"$cosearch" pareto quickstart.h5 -o front.csv

step "done: every evaluated point is in quickstart.h5, the designs that nothing else beats in front.csv"
