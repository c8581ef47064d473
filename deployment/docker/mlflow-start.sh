#!/usr/bin/env bash
# Run the two processes of the MLflow container: the server, and the watcher that updates its database
# from the files and exports metrics of them. If one ends, the other is stopped too, and with it the
# container. MLflow's own --expose-prometheus does not work here: Prometheus uses the address of the
# container, which MLflow answers with 403.
set -euo pipefail
database=/state/database/mlflow.db
hosts=${MLFLOW_HOSTS:+,$MLFLOW_HOSTS}
# The pages that MLflow itself serves under those names may send requests to it.
origins="http://localhost:*,http://127.0.0.1:*${hosts//,/,http://}${hosts//,/,https://}"

python -m pipeline history build --db "$database"
python -m pipeline history watch --db "$database" \
  --metrics-host 0.0.0.0 --metrics-port 5001 &
python -m mlflow server --host 0.0.0.0 --port 5000 --workers 1 \
  --backend-store-uri "sqlite:///$database" \
  --artifacts-destination mlruns --default-artifact-root mlflow-artifacts:/.local \
  --uvicorn-opts "--log-level warning" \
  --allowed-hosts "mlflow-server:*,localhost:*,127.0.0.1:*$hosts" \
  --cors-allowed-origins "$origins" &

trap 'stopped=0' TERM INT # a signal ends the wait
status=0
wait -n || status=$?
for process in $(jobs -pr); do kill "$process"; done
wait
exit "${stopped:-$status}"
