"""Rows about training, and about what is edited for it."""

from scripts.documents.row import Row, comes_with

ROWS = [
    Row(
        number=14,
        typed="`POST /train` with "
        '`{"data": …, "target": …, "algorithm": …, "hyperparameters": …}`, then '
        '`result["run_id"]` and `result["metrics"]["accuracy"]`',
        here="as typed, with the key that the start script makes (`./start-mlops.sh --key`); "
        "a training of more than 30 s is answered with 202 and a job",
        page="[API](api.md)",
    ),
    Row(
        number=15,
        typed="`POST /retrain`, `POST /model/load/{run_id}`",
        here="as typed, with the same key",
        page="[API](api.md)",
    ),
    Row(
        number=22,
        typed="`python examples/train_example.py`",
        here="trains, predicts and shows the run",
    ),
    Row(
        number=23,
        typed="`dvc repro`, `params.yaml`",
        here="`params.yaml` is here; DVC is not yet",
        check=comes_with("trust"),
    ),
    Row(
        number=25,
        typed="an algorithm more in a dictionary, a metric more in one place",
        here="a line in `estimators.yaml` and one in `params.yaml`; `app/metrics.py`",
        page="[how to](how-to.md)",
    ),
]
