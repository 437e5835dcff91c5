# shellcheck shell=bash
# Sourced by the other scripts: goes to the repository's root and defines how a step is announced.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

# step TEXT: one line that says what comes now, with the seconds since the script began.
step() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }

# quietly COMMAND...: shows its output on a terminal, where progress is wanted; elsewhere only if it
# fails.
quietly() {
  if [[ -t 1 ]]; then
    "$@"
    return
  fi
  local output code=0
  output=$(mktemp)
  "$@" >"$output" 2>&1 || code=$?
  [[ $code == 0 ]] || cat "$output" >&2
  rm "$output"
  return "$code"
}
