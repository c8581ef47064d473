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

for name in python3 python3.13 python3.12 python3.11; do
  if "$name" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then
    python=$name
    break
  fi
done
[ -n "${python:-}" ] || die "found no Python 3.11 or newer: install it and run this again."

own=${NOX_ENVDIR:-.nox}/own
if ! cmp -s requirements/nox.txt "$own/installed.txt"; then
  "$python" -m venv --clear "$own"
  "$own/bin/python" -m pip install --quiet --require-hashes -r requirements/nox.txt
  cp requirements/nox.txt "$own/installed.txt"
fi
nox=("$own/bin/nox" "$@")
if [ -n "${GITHUB_ACTIONS:-}" ]; then # what is wrong is marked at its line and told in a sentence
  nox=("$python" -m scripts.ci.tell "${nox[@]}")
fi
exec "${nox[@]}"
