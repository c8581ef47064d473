"""Rows about runs, models and their files."""

from scripts.documents.row import Row, comes_with

ROWS = [
    Row(
        number=4,
        typed="`docker compose exec mlflow-server python /tmp/verify_mlflow_data.py`, "
        "`python scripts/verify_mlflow_data.py`",
        here="as typed, with any Python from 3.11 on",
    ),
    Row(
        number=5,
        typed="`find /mlflow/mlruns -name '*.yaml'`",
        here="runs are `run.json`; `pipeline history export --to DIR` writes a file store",
    ),
    Row(
        number=6,
        typed="`models/<algorithm>_best_model.joblib`, "
        "`models/<algorithm>_best_model_metadata.json`",
        here="`pipeline export TASK --algorithm NAME --format joblib` writes them",
    ),
    Row(
        number=8,
        typed="the registry's stages `Staging` and `Production`",
        here="aliases `challenger` and `champion`",
    ),
    Row(
        number=24,
        typed="`python train.py`, `python serve.py`",
        here="`python -m pipeline train`, `python -m app`",
    ),
    Row(
        number=27,
        typed="`docker exec … pg_dump`, `mc mirror`, `docker cp … prometheus` as backups",
        here="not yet",
        check=comes_with("scale"),
    ),
]
