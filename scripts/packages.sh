#!/usr/bin/env bash
# The Debian packages cosearch needs, in one list, and the way to install them.
#
#   scripts/packages.sh quickstart   # what building and running the program needs
#   scripts/packages.sh full         # and what training, the tests and their checks need
#   scripts/packages.sh list SET     # only print the set, one package a line
#
# Idempotent: where every package is installed already, apt is not called and no network is needed.
set -euo pipefail

# What each is for: docs/dependencies.md.
quickstart=(
  g++ cmake ninja-build
  libboost-dev
  libcli11-dev
  libeigen3-dev
  libfmt-dev
  libhdf5-dev
  libpagmo-dev
  libpng-dev
  libtbb-dev
  libturbojpeg0-dev
  libvalijson-dev
  libxgboost-dev
  libxxhash-dev
  libyaml-cpp-dev
  nlohmann-json3-dev
  zlib1g-dev
)
full=(
  "${quickstart[@]}"
  ccache clang clang-format git shellcheck
  dataset-fashion-mnist
  libbenchmark-dev
  libclang-rt-dev
  libgmock-dev
  libgtest-dev
  libopenmpi-dev openmpi-bin
  libopenblas0-pthread # with the default BLAS, training is 17 times slower
  librapidcheck-dev
  libtorch-dev
  python3 python3-h5py python3-matplotlib python3-numpy python3-pandas
)
# Without these something is skipped, not broken; not every release of Debian and Ubuntu has them.
optional=(clang dataset-fashion-mnist libclang-rt-dev librapidcheck-dev libtorch-dev)

die() {
  echo "packages: $*" >&2
  exit 3
}

has() { command -v "$1" >/dev/null; }

# Those of the packages named that are not installed, one a line.
missing_of() {
  local installed
  installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
    sed -n 's/^installed //p') || true
  printf '%s\n' "$@" | grep --line-regexp --fixed-strings --invert-match "${installed:-none}" || true
}

# Those of the packages named that apt can install or must not do without, one a line.
obtainable_of() {
  local package candidate
  for package in "$@"; do
    # Whole first: `| grep --quiet` would stop apt-cache half-way, which pipefail takes for a failure.
    candidate=$(apt-cache policy "$package")
    if [[ " ${optional[*]} " == *" $package "* && $candidate != *"Candidate: "[0-9]* ]]; then
      echo "packages: this release has no $package; going on without" >&2
    else
      echo "$package"
    fi
  done
}

# apt-get as root: directly, or through sudo.
apt_as_root() {
  local as_root=()
  [[ $(id -u) == 0 ]] || as_root=(sudo)
  # A machine just started may still hold apt's lock for updates of its own: wait for it.
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get --quiet=2 --option DPkg::Lock::Timeout=400 --option Dpkg::Use-Pty=0 "$@"
}

install_packages() {
  local missing
  if ! has dpkg-query || ! has apt-get; then
    die "installing needs apt, which this system does not have. Install what docs/dependencies.md
names by other means, then: cmake --preset release && cmake --build --preset release"
  fi
  mapfile -t missing < <(missing_of "$@")
  if [[ ${#missing[@]} == 0 ]]; then
    echo "all $# packages are installed"
    return
  fi
  if [[ $(id -u) != 0 ]] && ! has sudo; then
    die "neither root nor sudo here. As root, run:
  apt-get update && apt-get install --no-install-recommends ${missing[*]}"
  fi
  apt_as_root update || die "apt-get update failed (is there a network?)"
  mapfile -t missing < <(obtainable_of "${missing[@]}")
  [[ ${#missing[@]} != 0 ]] || return 0
  echo "installing ${#missing[@]} of $# packages: ${missing[*]}"
  apt_as_root install --yes --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get install failed"
}

print_packages() { printf '%s\n' "$@"; }

action=install_packages
if [[ ${1:-} == list ]]; then
  action=print_packages
  shift
fi
case ${1:-} in
  quickstart) "$action" "${quickstart[@]}" ;;
  full) "$action" "${full[@]}" ;;
  *)
    echo "usage: scripts/packages.sh [list] quickstart|full" >&2
    exit 2
    ;;
esac
