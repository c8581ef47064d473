#!/usr/bin/env bash
# Run the two processes of the MLflow container: the server, and the watcher that updates its database
# from the files and exports metrics of them. If one ends, the other is stopped too, and with it the
# container. MLflow's own --expose-prometheus does not work here: Prometheus uses the address of the
# container, which MLflow answers with 403.
set -euo pipefail
export MLOPS_STORE=${MLOPS_STORE:-/state/database/mlflow.db} # the default of `history build --db`
case $MLOPS_STORE in
  *://*) workers=2 store=$MLOPS_STORE ;;
  *) workers=1 store=sqlite:///$MLOPS_STORE ;; # one process writes at a time
esac
# Variables that are passed on empty are not set: the key may come from a role of the machine.
for name in MLOPS_ARTIFACTS MLFLOW_S3_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_DEFAULT_REGION PGPASSWORD; do
  [ -n "${!name:-}" ] || unset "$name"
done
hosts=${MLFLOW_HOSTS:+,$MLFLOW_HOSTS}
# The pages that MLflow itself serves under those names may send requests to it.
origins="http://localhost:*,http://127.0.0.1:*${hosts//,/,http://}${hosts//,/,https://}"

python -m pipeline history build
python -m pipeline history watch --metrics-host 0.0.0.0 --metrics-port 5001 &
# The address as a variable: every user of the machine sees the arguments, and so a password. By default, uvicorn kills
# a worker that is busy for five seconds.
MLFLOW_BACKEND_STORE_URI=$store \
python -m mlflow server --host 0.0.0.0 --port 5000 --workers "$workers" \
  --artifacts-destination "${MLOPS_ARTIFACTS:-mlruns}" --default-artifact-root mlflow-artifacts:/.local \
  --uvicorn-opts "--log-level warning --timeout-worker-healthcheck 60" \
  --allowed-hosts "mlflow-server:*,localhost:*,127.0.0.1:*$hosts" \
  --cors-allowed-origins "$origins" &

trap 'stopped=0' TERM INT # a signal ends the wait
status=0
wait -n || status=$?
for process in $(jobs -pr); do kill "$process"; done
wait
exit "${stopped:-$status}"
