"""Training on a request: what is refused, and that each refusal is one sentence."""

import json
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
from tests.unit.pipeline.worker.service import begin


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    folder = begin(tmp_path / "checkout")
    commit_all(folder, "feat: begin")
    return Repo.open(folder)


def rows(count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = factories.rows(tasks.load("iris"), count).to_dict(
        "records"
    )
    return found


def refusal(repo: Repo, **update: Any) -> str:
    asked = {
        "kind": "train",
        "task": "iris",
        "algorithm": "logistic_regression",
    } | update
    with pytest.raises(PipelineError) as caught:
        run(repo, repo.build / "serving", JobRequest.model_validate(asked))
    assert not list(
        (repo.build / "tracking").glob("*/mlflow.db")
    )  # no run is left unfinished
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
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
    repo: Repo, change: dict[str, Any], words: str
) -> None:
    data = rows(60)
    data[3] |= change
    assert refusal(repo, data=data).startswith(f"data of the request: row 4, {words}")


def test_columns_that_lack_or_are_too_many_are_named(repo: Repo) -> None:
    data = [
        {key: value for key, value in row.items() if key != "species"}
        for row in rows(60)
    ]
    assert "lacks the column species; the task iris" in refusal(repo, data=data)
    assert "has the unexpected column id" in refusal(
        repo, data=[row | {"id": 1} for row in rows(60)]
    )
    partly = rows(60)
    del partly[7]["petal_width"]
    assert "row 8, column petal_width" in refusal(repo, data=partly)


@pytest.mark.parametrize("count", [1, 2, 6])
def test_too_few_rows_are_refused(repo: Repo, count: int) -> None:
    assert "too few for 3 folds" in refusal(repo, data=rows(count))


def test_unknown_names_are_told_with_those_that_are_known(repo: Repo) -> None:
    assert refusal(repo, task="wine") == "'wine' is not a known task: choose from iris."
    said = refusal(repo, algorithm="linear_regression")
    assert said.startswith(
        "'linear_regression' is not a known algorithm: choose from dummy, logistic"
    )
    said = refusal(repo, parameters={"trees": 3})
    assert said.startswith(
        "'trees' is not a known parameter of logistic_regression: choose from C, "
    )
    said = refusal(repo, algorithm="dummy", parameters={"C": 3})
    assert said == "'C' is not a known parameter of dummy: choose from none."


@pytest.mark.slow
def test_a_fit_that_fails_says_why_and_its_runs_have_ended(repo: Repo) -> None:
    asked = JobRequest(
        kind="train", task="iris", algorithm="logistic_regression", parameters={"C": -1}
    )
    with pytest.raises(
        PipelineError, match="could not be trained on iris: .*'C' parameter"
    ):
        run(repo, repo.build / "serving", asked)
    assert not (repo.build / "serving" / "trained").exists()


@pytest.mark.slow
def test_rows_of_a_request_come_before_the_snapshot_wherever_build_lies(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.write(repo.data / "iris.csv.gz", factories.rows(tasks.load("iris"), 90))
    monkeypatch.setenv("MLOPS_BUILD_DIR", str(tmp_path / "elsewhere"))
    away = Repo.open(repo.root)
    asked = {"kind": "train", "task": "iris", "algorithm": "logistic_regression"}
    request = JobRequest.model_validate(asked | {"data": rows(150)})
    made = run(away, away.build / "serving", request)
    trained = away.build / "serving" / "trained" / made["run_id"]
    assert json.loads((trained / "manifest.json").read_bytes())["data"]["rows"] == 150
