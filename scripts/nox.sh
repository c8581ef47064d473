#!/usr/bin/env bash
# Run nox, from a private environment of its own; what CI does is done with the same command.
#   ./scripts/nox.sh -s lint             one session; `-l` lists them
#   ./scripts/nox.sh                     the default ones
set -euo pipefail
cd "$(dirname "$0")/.."

die() {
  echo "nox.sh: $*" >&2
  exit 1
}

# pyenv shows a version's name only while that version is selected: select all that nox asks for.
if command -v pyenv >/dev/null; then
  selected=$(pyenv versions --bare | sed -nE '/^3\.1[123]\.[0-9]+$/p' | paste -sd: -)
  export PYENV_VERSION=${selected:-${PYENV_VERSION:-system}}
fi
. scripts/find-python.sh
find_python nox.sh

own=${NOX_ENVDIR:-.nox}/own
programs=$own/bin
if ! cmp -s requirements/nox.txt "$own/installed.txt"; then
  "$python" -m venv --clear "$own" || die "$own cannot be made: see above."
  [ -d "$programs" ] || programs=$own/Scripts # on Windows
  "$programs/python" -m pip install --quiet --require-hashes -r requirements/nox.txt ||
    die "the packages of requirements/nox.txt cannot be installed: see above."
  cp requirements/nox.txt "$own/installed.txt"
fi
[ -d "$programs" ] || programs=$own/Scripts
export PYTHONUTF8=1 # as nox.ps1 has it
nox=("$programs/nox" "$@")
if [ -n "${GITHUB_ACTIONS:-}" ]; then # annotate faults, report a failure in a sentence
  nox=("$python" -m scripts.ci.report_failure "${nox[@]}")
fi
# In a copy that was unpacked on Windows no file can be executed.
[ ! -f "${GIT_ASKPASS:-}" ] || [ -x "$GIT_ASKPASS" ] || chmod +x "$GIT_ASKPASS"
exec "${nox[@]}"
