#!/usr/bin/env bash
# The API alone, in containers where Docker runs, else as a local process; each model is asked once.
set -euo pipefail
exec "$(dirname "$0")/../start-mlops.sh" --only mlops-api "$@"
