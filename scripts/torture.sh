#!/usr/bin/env bash
# The long torture test of the store: 200 searches killed at random moments, full and read-only disks,
# interrupted calls, cut files, flipped bits. A few minutes.
#
#   scripts/torture.sh [BUILD]     # default: build/dev, which is built first
set -euo pipefail
# shellcheck source=scripts/steps.sh
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

build=${1:-build/dev}
step "building the victim in $build"
[[ -f $build/CMakeCache.txt ]] || quietly cmake --preset dev -B "$build"
quietly cmake --build "$build" --target torture_tool cosearch_cli --parallel "$(nproc)"
step "killing it"
/usr/bin/python3 -B tests/torture/torture_test.py \
  "$build/codesign/cli/cosearch" "$build/tests/torture/torture_tool" long
