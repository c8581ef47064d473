#!/usr/bin/env bash
# Run nox from an environment of its own. CI uses the same command.
#   ./scripts/nox.sh -s lint             one session; `-l` lists them
#   ./scripts/nox.sh                     the default ones
set -euo pipefail
cd "$(dirname "$0")/.."

# pyenv shows a version's name only while that version is selected: select all that nox asks for.
if command -v pyenv >/dev/null; then
  selected=$(pyenv versions --bare | sed -nE '/^3\.1[123]\.[0-9]+$/p' | paste -sd: -)
  export PYENV_VERSION=${selected:-${PYENV_VERSION:-system}}
fi
# In a copy that was unpacked on Windows no file can be executed.
[ ! -f "${GIT_ASKPASS:-}" ] || [ -x "$GIT_ASKPASS" ] || chmod +x "$GIT_ASKPASS"

. scripts/find-python.sh
find_python nox.sh
exec "$python" -m scripts.run_nox nox.sh "$@"
