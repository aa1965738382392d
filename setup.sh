# What ./start and ./check share: a Python, system libraries, a virtual environment, the package in it.
# Sourced by both; POSIX sh. HOURBIT_VENV names another folder than .venv; HOURBIT_NO_TORCH=1 leaves
# PyTorch out; HOURBIT_TORCH_INDEX is the index that pip takes PyTorch from.

venv=${HOURBIT_VENV:-.venv}

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
  command -v apt-get >/dev/null 2>&1 || return 1
  [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null
}

# Install Debian packages, or name the line to type and fail.
packages() {
  [ $# -gt 0 ] || return 0
  if ! may_install; then
    if command -v apt-get >/dev/null 2>&1; then
      say "Missing on this system; type: sudo apt-get install --no-install-recommends $*"
    else
      say "Missing on this system; install what Debian calls: $*"
    fi
    return 1
  fi
  say "Installing $*"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=5 -qq update >/dev/null || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=5 -o Dpkg::Use-Pty=0 \
    -qq -y --no-install-recommends install "$@" >/dev/null || {
    say "That failed; type: sudo apt-get install --no-install-recommends $*"
    return 1
  }
}

suits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; }

search_python() {
  for python in ${PYTHON:-} python3 python3.11 python3.12 python3.13; do
    if command -v "$python" >/dev/null 2>&1 && suits "$python"; then return 0; fi
  done
  return 1
}

find_python() {
  search_python && return 0
  packages python3 python3-venv && search_python && return 0
  die "Hourbit needs Python 3.11, 3.12 or 3.13; install one, or name it: PYTHON=/path/to/python3.12 $0"
}

make_environment() {
  if [ -x "$venv/bin/python" ] && suits "$venv/bin/python"; then return 0; fi
  find_python
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    packages "$("$python" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')" \
      || packages python3-venv || die "Python's venv module is missing; install it and start again."
  fi
  say "Making a virtual environment in $venv"
  "$python" -m venv --clear "$venv"
}

# Names of the Debian packages whose libraries cannot be loaded. $1: "window" adds what a real window needs.
missing_libraries() {
  "$venv/bin/python" - "$1" <<'PY'
import ctypes, sys
wanted = {
    "libGL.so.1": "libgl1", "libEGL.so.1": "libegl1", "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0", "libdbus-1.so.3": "libdbus-1-3", "libxkbcommon.so.0": "libxkbcommon0",
}
if sys.argv[1] == "window":
    wanted |= {
        "libxkbcommon-x11.so.0": "libxkbcommon-x11-0", "libxcb-cursor.so.0": "libxcb-cursor0",
        "libxcb-icccm.so.4": "libxcb-icccm4", "libxcb-keysyms.so.1": "libxcb-keysyms1",
        "libxcb-shape.so.0": "libxcb-shape0",
    }
for library, package in wanted.items():
    try:
        ctypes.CDLL(library)
    except OSError:
        print(package)
PY
}

compiler() {
  for name in ${CXX:-} g++ clang++ c++; do
    if command -v "$name" >/dev/null 2>&1; then return 0; fi
  done
  return 1
}

# System packages, on Linux only. $1: window or offscreen; further arguments: command=package.
system() {
  [ "$(uname -s)" = Linux ] || return 0
  wanted=$(missing_libraries "$1")
  shift
  compiler || wanted="$wanted g++"
  for pair in "$@"; do
    command -v "${pair%%=*}" >/dev/null 2>&1 || wanted="$wanted ${pair#*=}"
  done
  # shellcheck disable=SC2086  # a list of names
  packages $wanted
}

# pip, patient with slow networks.
pip_install() {
  quiet=-q
  if [ -t 2 ]; then quiet=; fi
  for pause in 5 20 0; do
    # shellcheck disable=SC2086  # empty or one option
    if "$venv/bin/python" -m pip --disable-pip-version-check install $quiet --retries 8 --timeout 60 "$@"; then
      return 0
    fi
    if [ "$pause" != 0 ]; then say "pip failed; trying again in $pause s"; sleep "$pause"; fi
  done
  return 1
}

torch_pin() {
  "$venv/bin/python" -c '
import tomllib
extras = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]
print(next(r for r in extras["train"] if r.startswith("torch")))'
}

install_torch() {
  [ "${HOURBIT_NO_TORCH:-}" != 1 ] || return 0
  if [ -n "${HOURBIT_TORCH_INDEX:-}" ]; then
    pip_install --index-url "$HOURBIT_TORCH_INDEX" "$(torch_pin)"
  else
    pip_install "$(torch_pin)"
  fi
}

fingerprint() {
  {
    "$venv/bin/python" -c 'import sys; print(sys.version)'
    pwd
    printf '%s\n' "$1" "${HOURBIT_NO_TORCH:-}"
    cat pyproject.toml CMakeLists.txt setup.sh engine/native/*
  } 2>/dev/null | cksum
}

# Set everything up, once. $1: extras; $2: window or offscreen; further arguments: command=package.
set_up() {
  extras=$1
  place=$2
  shift 2
  make_environment
  stamp="$venv/.hourbit-$extras-$place"
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(fingerprint "$extras")" ]; then return 0; fi
  system "$place" "$@" || say "Going on without; some of it may not work."
  say "Installing Hourbit and what it needs in $venv; the first time takes some minutes"
  pip_install -e ".[$extras]" || die "Hourbit could not be installed; see pip's message above."
  if ! install_torch; then
    if [ "$extras" = export ]; then
      say "PyTorch could not be installed; everything but training works."
      return 0
    fi
    die "The tests need PyTorch; install it, or leave it out: HOURBIT_NO_TORCH=1 $0"
  fi
  fingerprint "$extras" >"$stamp"
}
