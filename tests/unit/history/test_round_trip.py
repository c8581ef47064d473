"""Whatever MLflow holds comes back out of the files as it was."""

import math
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mlflow import MlflowClient
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    Param,
    RunTag,
)

from history.build import build_database
from tests.support.history_factories import (
    Workspace,
    import_into,
    new_store,
    new_workspace,
    verify,
)
from tests.support.mlflow_picture import picture

TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40
)
# Values that look like paths of this machine are changed on purpose: see test_paths.py.
VALUES = TEXT.filter(
    lambda text: not text.startswith(("/", "\\", "file:")) and text[1:2] != ":"
)
KEYS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_ -]{0,20}", fullmatch=True)
TEXTS = st.dictionaries(KEYS, VALUES, max_size=4)
TIMES = st.integers(0, 2**41)
STEPS = st.integers(-(2**40), 2**40)
POINTS = st.lists(st.tuples(st.floats(), TIMES, STEPS), min_size=1, max_size=4)
METRICS = st.dictionaries(KEYS, POINTS, max_size=3)
DATASETS = st.lists(
    st.tuples(KEYS, KEYS, KEYS, VALUES, st.none() | VALUES, st.none() | VALUES, TEXTS),
    max_size=2,
    unique_by=lambda dataset: (dataset[0], dataset[1]),
)
MODELS = st.lists(
    st.tuples(KEYS, TEXTS, TEXTS, METRICS, st.none() | KEYS, STEPS), max_size=2
)
RUN = st.fixed_dictionaries(
    {
        "name": KEYS,
        "params": TEXTS,
        "tags": TEXTS,
        "metrics": METRICS,
        "datasets": DATASETS,
        "models": MODELS,
        "parent": st.booleans(),
        "uses": st.booleans(),
        "status": st.sampled_from(["FINISHED", "FAILED", "KILLED"]),
        "started": TIMES,
    }
)
EXPERIMENTS = st.dictionaries(
    TEXT.filter(str.strip),
    st.lists(RUN, min_size=1, max_size=3),
    min_size=1,
    max_size=2,
)
Experiments = dict[str, list[dict[str, Any]]]


def log(
    client: MlflowClient, experiment: str, content: dict[str, Any], earlier: list[str]
) -> str:
    """Log a run as any client would; `earlier` are the ids of the runs before it."""
    tags = dict(content["tags"])
    if content["parent"] and earlier:
        tags["mlflow.parentRunId"] = earlier[-1]
    run = client.create_run(experiment, content["started"], tags, content["name"])
    run_id = str(run.info.run_id)
    points = _points(content["metrics"])
    params = [Param(key, value) for key, value in content["params"].items()]
    client.log_batch(
        run_id, points, params, [RunTag(key, value) for key, value in tags.items()]
    )
    inputs = [
        DatasetInput(
            Dataset(name, digest, kind, source, described, profile),
            [InputTag(key, value) for key, value in texts.items()],
        )
        for name, digest, kind, source, described, profile, texts in content["datasets"]
    ]
    used = [
        LoggedModelInput(output.model_id)
        for run_id in earlier[-1:]
        if content["uses"]
        for output in client.get_run(run_id).outputs.model_outputs
    ]
    client.log_inputs(run_id, inputs, used)
    for name, model_params, model_tags, metrics, kind, step in content["models"]:
        arguments = (experiment, name, run_id, model_tags, model_params, kind)
        model = client.create_logged_model(*arguments)
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step)])
        client.log_batch(run_id, _points(metrics, model.model_id))
        client.finalize_logged_model(model.model_id, "READY")
    client.set_terminated(run_id, content["status"], content["started"] + 5)
    return run_id


def _points(
    metrics: dict[str, list[tuple[float, int, int]]], model: str | None = None
) -> list[Metric]:
    unique = {
        (key, time, step): value
        for key, points in metrics.items()
        for value, time, step in points
    }
    return [
        Metric(key, value, time, step, model_id=model)
        for (key, time, step), value in unique.items()
    ]


def examples(count: int) -> Any:
    """Try so many; each makes a folder of its own in the test's. Shrinking would take
    minutes.
    """
    return settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
        ],
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
    )


@examples(3)
@given(EXPERIMENTS)
def test_two_stores_are_equal_entity_by_entity(
    tmp_path: Path, experiments: Experiments
) -> None:
    compare(tmp_path, experiments)


@pytest.mark.slow
@examples(15)
@given(EXPERIMENTS)
def test_many_stores_are_equal_entity_by_entity(
    tmp_path: Path, experiments: Experiments
) -> None:
    compare(tmp_path, experiments)


def client_of(repo: Workspace) -> MlflowClient:
    return MlflowClient(f"sqlite:///{(repo.build / 'mlflow.db').as_posix()}")


def compare(tmp_path: Path, experiments: Experiments) -> None:
    """Log runs, save them, restore them elsewhere, and compare what MLflow shows of
    both.
    """
    folder = tmp_path / uuid4().hex
    uri, client, _ = new_store(folder / "source")
    for name, runs in experiments.items():
        experiment = client.create_experiment(
            f"{name}.", (folder / "artifacts").as_uri()
        )
        earlier: list[str] = []
        for run in runs:
            earlier.append(log(client, experiment, run, earlier))

    repo = new_workspace(folder / "clone")
    import_into(repo, uri)
    assert verify(repo) == []
    build_database(repo.mlruns, repo.build / "mlflow.db")

    restored = client_of(repo)
    assert picture(restored) == picture(client)


def test_of_zero_and_not_a_number_at_once_the_one_shown_stays(tmp_path: Path) -> None:
    for first, second in ((0.0, math.nan), (math.nan, 0.0)):
        folder = tmp_path / str(first)
        uri, client, experiment = new_store(folder / "source")
        run_id = client.create_run(experiment).info.run_id
        client.log_batch(
            run_id, [Metric("loss", first, 1, 1), Metric("loss", second, 1, 1)]
        )
        client.set_terminated(run_id)
        repo = new_workspace(folder / "clone")
        import_into(repo, uri, [run_id])
        build_database(repo.mlruns, repo.build / "mlflow.db")
        assert picture(client_of(repo)) == picture(client)


@pytest.mark.slow
def test_a_history_of_more_than_one_page_is_whole(tmp_path: Path) -> None:
    uri, client, experiment = new_store(tmp_path / "source")
    run_id = client.create_run(experiment).info.run_id
    for start in range(0, 26_000, 1000):
        points = [
            Metric("loss", step / 7, step, step) for step in range(start, start + 1000)
        ]
        client.log_batch(run_id, points)
    client.set_terminated(run_id)
    repo = new_workspace(tmp_path / "clone")
    import_into(repo, uri)
    build_database(repo.mlruns, repo.build / "mlflow.db")
    restored = client_of(repo)
    assert len(restored.get_metric_history(run_id, "loss")) == 26_000
    assert picture(restored) == picture(client)
