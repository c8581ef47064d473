"""Training on the rows of a request: what is refused, in one sentence each."""

from pathlib import Path
from typing import Any

import pytest

from core.errors import PipelineError
from core.jobs import JobRequest
from pipeline import tasks
from pipeline.data import table as tables
from pipeline.repo import Repo
from pipeline.worker.train_job import run
from tests.conftest import commit_all
from tests.support import factories
from tests.unit.pipeline.worker.service import begin, read_manifest

REQUEST = {
    "kind": "train",
    "task": "iris",
    "algorithm": "logistic_regression",
}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    folder = begin(tmp_path / "checkout")
    commit_all(folder, "feat: begin")
    return Repo.open(folder)


def rows(count: int) -> list[dict[str, Any]]:
    table = factories.rows(tasks.load("iris"), count)
    records: list[dict[str, Any]] = table.to_dict("records")
    return records


def refusal(repo: Repo, **changes: Any) -> str:
    """Return the message with which a request is refused."""
    request = JobRequest.model_validate(REQUEST | changes)
    with pytest.raises(PipelineError) as caught:
        run(repo, repo.build / "serving", request)
    # No run is left unfinished.
    stores = (repo.build / "tracking").glob("*/mlflow.db")
    assert not list(stores)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"petal_length": 900},
            "column petal_length: the value '900.0' is not a number from",
        ),
        (
            {"petal_length": True},
            "column petal_length: the value 'True' is not a number from",
        ),
        (
            {"petal_length": [1]},
            "column petal_length: the value '[1]' is not a number from",
        ),
        (
            {"petal_length": "long"},
            "column petal_length: the value 'long' is not a number from",
        ),
        ({"species": None}, "column species: the value 'nan' is not one of setosa"),
        ({"species": "rose"}, "column species: the value 'rose' is not one of setosa"),
    ],
)
def test_a_value_that_breaks_a_rule_is_named(
    repo: Repo, change: dict[str, Any], message: str
) -> None:
    data = rows(60)
    data[3] |= change
    error = refusal(repo, data=data)
    assert error.startswith(f"data of the request: row 4, {message}")


def test_missing_and_unexpected_columns_are_named(repo: Repo) -> None:
    data = rows(60)
    for row in data:
        del row["species"]
    message = refusal(repo, data=data)
    assert "lacks the column species; the task iris" in message
    data = [row | {"id": 1} for row in rows(60)]
    assert "has the unexpected column id" in refusal(repo, data=data)
    data = rows(60)
    del data[7]["petal_width"]
    assert "row 8, column petal_width" in refusal(repo, data=data)


@pytest.mark.parametrize("count", [1, 2, 6])
def test_too_few_rows_are_refused(repo: Repo, count: int) -> None:
    assert "too few for 3 folds" in refusal(repo, data=rows(count))


def test_unknown_names_are_refused_with_the_choice(repo: Repo) -> None:
    message = refusal(repo, task="wine")
    assert message == "'wine' is not a known task: choose from iris."
    message = refusal(repo, algorithm="linear_regression")
    assert message.startswith(
        "'linear_regression' is not a known algorithm: choose from dummy, logistic"
    )
    message = refusal(repo, parameters={"trees": 3})
    assert message.startswith(
        "'trees' is not a known parameter of logistic_regression: choose from C, "
    )
    message = refusal(repo, algorithm="dummy", parameters={"C": 3})
    assert message == "'C' is not a known parameter of dummy: choose from none."


@pytest.mark.slow
def test_a_fit_that_fails_is_reported_and_leaves_no_model(repo: Repo) -> None:
    body = REQUEST | {"parameters": {"C": -1}}
    request = JobRequest.model_validate(body)
    message = "could not be trained on iris: .*'C' parameter"
    with pytest.raises(PipelineError, match=message):
        run(repo, repo.build / "serving", request)
    assert not (repo.build / "serving" / "trained").exists()


@pytest.mark.slow
def test_rows_of_a_request_come_before_the_snapshot_wherever_build_lies(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = factories.rows(tasks.load("iris"), 90)
    tables.write(repo.data / "iris.csv.gz", snapshot)
    monkeypatch.setenv("MLOPS_BUILD_DIR", str(tmp_path / "elsewhere"))
    away = Repo.open(repo.root)
    state = away.build / "serving"
    body = REQUEST | {"data": rows(150)}
    request = JobRequest.model_validate(body)
    result = run(away, state, request)
    trained = state / "trained" / result["run_id"]
    manifest = read_manifest(trained)
    assert manifest["data"]["rows"] == 150
