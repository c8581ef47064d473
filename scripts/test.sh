#!/usr/bin/env bash
# Lint and test everything in private environments: nox's default sessions.
#   ./scripts/test.sh                    all of it
#   ./scripts/test.sh -s lint            one session; `-l` lists them
set -euo pipefail
cd "$(dirname "$0")/.."

die() {
  echo "test.sh: $*" >&2
  exit 1
}

# pyenv shows a version's name only while that version is selected: select all that nox asks for.
if command -v pyenv >/dev/null; then
  PYENV_VERSION=$(pyenv versions --bare | grep -E '^3\.1[123]\.[0-9]+$' | paste -sd: -) || die \
    "pyenv has no Python 3.11, 3.12 or 3.13: install one with 'pyenv install 3.11'."
  export PYENV_VERSION
fi

python=$(command -v python3.11 || command -v python3) || die "Python 3.11 or newer is not installed."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die \
  "$python is $("$python" --version); install Python 3.11 or newer."

if ! cmp -s requirements/nox.txt .venv-nox/installed.txt; then
  "$python" -m venv --clear .venv-nox
  .venv-nox/bin/python -m pip install --quiet --require-hashes -r requirements/nox.txt
  cp requirements/nox.txt .venv-nox/installed.txt
fi
exec .venv-nox/bin/nox "$@"
