#!/usr/bin/env bash
# Start the whole stack: in containers where Docker runs, else as local processes. --help says more.
set -euo pipefail
cd "$(dirname "$0")"

for name in python3 python3.13 python3.12 python3.11 python; do
  if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    exec "$name" -m scripts.start "$@"
  fi
done
echo "start-mlops.sh: found no Python 3.11 or newer: install it and run this again." >&2
exit 1
