#!/usr/bin/env bash
# The two processes of the MLflow container: the server, and what keeps its database up with the
# files and exports metrics of them. Where one ends the other is stopped too, and the container
# with them. MLflow's own --expose-prometheus is no use here: Prometheus asks by the container's
# address, for which MLflow has a 403.
set -euo pipefail
database=/state/database/mlflow.db
hosts=${MLFLOW_HOSTS:+,$MLFLOW_HOSTS}
# Pages that MLflow itself serves under those names.
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

trap 'stopped=0' TERM INT # which ends the wait
status=0
wait -n || status=$?
for process in $(jobs -pr); do kill "$process"; done
wait
exit "${stopped:-$status}"
