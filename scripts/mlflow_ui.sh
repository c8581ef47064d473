#!/usr/bin/env bash
# What `mlflow ui` is elsewhere: MLflow alone, over the history in mlruns/. Ctrl-C ends it.
set -euo pipefail
exec "$(dirname "$0")/../start-mlops.sh" --local --only mlflow-server "$@"
