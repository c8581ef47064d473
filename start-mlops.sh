#!/usr/bin/env bash
# Start the stack: so far MLflow over the whole committed history, on http://127.0.0.1:5000.
# Makes a private environment in .venv first; run it again at any time.
set -euo pipefail
cd "$(dirname "$0")"

die() {
  echo "start-mlops.sh: $*" >&2
  exit 1
}

for name in python3 python3.13 python3.12 python3.11 python; do
  if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$name
    break
  fi
done
[ -n "${python:-}" ] || die "found no Python 3.11 or newer: install it and run this again."

if ! cmp -s requirements/mlflow.txt .venv/installed.txt; then
  echo "installing the packages of requirements/mlflow.txt into .venv (once) …"
  "$python" -m venv --clear .venv || die "Python's venv module is missing: install it (on Debian: python3-venv)."
  .venv/bin/python -m pip install --quiet --require-hashes -r requirements/mlflow.txt
  cp requirements/mlflow.txt .venv/installed.txt
fi
PYTHONPATH=. exec .venv/bin/python scripts/start.py "$@"
