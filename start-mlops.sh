#!/usr/bin/env bash
# Start the whole stack: in containers where Docker runs, else as local processes. See --help.
set -euo pipefail
cd "$(dirname "$0")"

. scripts/find-python.sh
find_python start-mlops.sh
exec "$python" -m scripts.start "$@"
