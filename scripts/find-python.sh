# shellcheck shell=bash
# Sets `python` to a version that our packages support, and fails if there is none.
# scripts/find-python.ps1 does the same.

unset PYTHONSAFEPATH # with it Python would not find the modules in the current folder

find_python() {
  for python in python3 python3.14 python3.13 python3.12 python3.11 python py; do
    if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then
      return
    fi
  done
  echo "$1: found no Python 3.11 to 3.14: install one and run this again." >&2
  exit 1
}
