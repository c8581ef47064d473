#!/usr/bin/env bash
# Create MLflow's tables in the container `postgres`, or migrate them to the version in this image.
set -euo pipefail
if [ -z "${MLOPS_STORE:-}" ]; then
  echo "MLOPS_STORE is not set, so MLflow does not use the containers of the profile scale: start them by" \
    "\`./start-mlops.sh --with scale\`, or set the variables of docs/scale.md in .env." >&2
  exit 1
fi
exec python -m mlflow db upgrade postgresql+psycopg://mlflow@postgres/mlflow
