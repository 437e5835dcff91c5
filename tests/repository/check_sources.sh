#!/usr/bin/env bash
# Checks of the tracked files as text. Exit code 77: skipped, for the reason printed.
#
#   check_sources.sh format|paths|scripts
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

skip() {
  echo "skipped: $*"
  exit 77
}

git ls-files >/dev/null 2>&1 || skip "not a git checkout, so which files are tracked is unknown"

# Tracked files that exist and match the patterns, separated by zero bytes.
tracked() {
  git ls-files -z -- "$@" | while IFS= read -r -d '' file; do
    [[ ! -f $file ]] || printf '%s\0' "$file"
  done
}

check_format() {
  command -v clang-format >/dev/null || skip "clang-format is not installed"
  # Another major version formats some code otherwise.
  [[ $(clang-format --version) == *"version 14."* ]] || skip "the sources follow clang-format 14"
  tracked '*.h' '*.cpp' | xargs -0 --no-run-if-empty clang-format --dry-run -Werror
}

# A path that exists on one machine only must not be built into anything.
check_paths() {
  local found
  found=$(tracked . | xargs -0 grep --line-number --binary-files=without-match --extended-regexp \
    '(^|[^[:alnum:]_./>})-])/(work|home|root|Users)/[[:alnum:]]' /dev/null || true)
  [[ -z $found ]] || {
    printf 'paths of one machine:\n%s\n' "$found"
    exit 1
  }
}

check_scripts() {
  local scripts
  mapfile -d '' -t scripts < <(tracked '*.sh' .ci/run)
  for script in "${scripts[@]}"; do bash -n "$script"; done
  command -v shellcheck >/dev/null || skip "shellcheck is not installed; every script parses"
  shellcheck --external-sources "${scripts[@]}"
}

"check_${1:?format, paths or scripts}"
