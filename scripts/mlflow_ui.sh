#!/usr/bin/env bash
# Start MLflow alone with the history in mlruns/, in place of `mlflow ui`. Ctrl-C stops it.
set -euo pipefail
exec "$(dirname "$0")/../start-mlops.sh" --local --only mlflow-server "$@"
