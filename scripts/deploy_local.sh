#!/usr/bin/env bash
# Start the API alone, in containers if Docker runs, otherwise as a local process, and send one request to each model.
set -euo pipefail
exec "$(dirname "$0")/../start-mlops.sh" --only mlops-api "$@"
