"""Experiments with any runs, and how a client of MLflow logs them."""

from typing import Any

from hypothesis import HealthCheck, Phase, settings
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


def is_no_path(text: str) -> bool:
    is_absolute = text.startswith(("/", "\\", "file:"))
    return not is_absolute and text[1:2] != ":"


def name_and_digest(dataset: tuple[Any, ...]) -> tuple[str, str]:
    name, digest, *_ = dataset
    return name, digest


TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"),
    max_size=40,
)
# Values that look like paths of this machine are changed on purpose: see test_paths.py.
VALUES = TEXT.filter(is_no_path)
KEYS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_ -]{0,20}", fullmatch=True)
TEXTS = st.dictionaries(KEYS, VALUES, max_size=4)
TIMES = st.integers(0, 2**41)
STEPS = st.integers(-(2**40), 2**40)
POINTS = st.lists(
    st.tuples(st.floats(), TIMES, STEPS),
    min_size=1,
    max_size=4,
)
METRICS = st.dictionaries(KEYS, POINTS, max_size=3)
DATASETS = st.lists(
    st.tuples(
        KEYS,
        KEYS,
        KEYS,
        VALUES,
        st.none() | VALUES,
        st.none() | VALUES,
        TEXTS,
    ),
    max_size=2,
    unique_by=name_and_digest,
)
MODELS = st.lists(
    st.tuples(KEYS, TEXTS, TEXTS, METRICS, st.none() | KEYS, STEPS),
    max_size=2,
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
    st.lists(
        RUN,
        min_size=1,
        max_size=3,
    ),
    min_size=1,
    max_size=2,
)
Experiments = dict[str, list[dict[str, Any]]]


def log(
    client: MlflowClient,
    experiment: str,
    content: dict[str, Any],
    earlier: list[str],
) -> str:
    """Log a run as any client would; `earlier` are the IDs of the runs before it."""
    tags = dict(content["tags"])
    if content["parent"] and earlier:
        tags["mlflow.parentRunId"] = earlier[-1]
    started = content["started"]
    run = client.create_run(experiment, started, tags, content["name"])
    run_id = str(run.info.run_id)
    params = []
    for key, value in content["params"].items():
        params.append(Param(key, value))
    run_tags = [RunTag(key, value) for key, value in tags.items()]
    client.log_batch(run_id, _points(content["metrics"]), params, run_tags)
    used = []
    if content["uses"] and earlier:
        outputs = client.get_run(earlier[-1]).outputs.model_outputs
        used = [LoggedModelInput(output.model_id) for output in outputs]
    client.log_inputs(run_id, _datasets(content["datasets"]), used)
    for model in content["models"]:
        _log_model(client, experiment, run_id, model)
    client.set_terminated(run_id, content["status"], started + 5)
    return run_id


def _log_model(
    client: MlflowClient,
    experiment: str,
    run_id: str,
    content: tuple[Any, ...],
) -> None:
    name, params, tags, metrics, kind, step = content
    arguments = (experiment, name, run_id, tags, params, kind)
    model_id = client.create_logged_model(*arguments).model_id
    client.log_outputs(run_id, [LoggedModelOutput(model_id, step)])
    client.log_batch(run_id, _points(metrics, model_id))
    client.finalize_logged_model(model_id, "READY")


def _datasets(contents: list[tuple[Any, ...]]) -> list[DatasetInput]:
    inputs = []
    for *fields, texts in contents:
        tags = [InputTag(key, value) for key, value in texts.items()]
        inputs.append(DatasetInput(Dataset(*fields), tags))
    return inputs


def _points(
    metrics: dict[str, list[tuple[float, int, int]]],
    model: str | None = None,
) -> list[Metric]:
    """Return the points of some metrics, one for each time and step."""
    unique = {}
    for key, points in metrics.items():
        for value, time, step in points:
            unique[key, time, step] = value
    logged = []
    for (key, time, step), value in unique.items():
        logged.append(Metric(key, value, time, step, model_id=model))
    return logged


def examples(count: int) -> Any:
    """Try so many examples, without shrinking, which would take minutes.

    Each example creates a folder of its own in that of the test.
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


def log_all(
    client: MlflowClient,
    experiments: Experiments,
    artifacts: str,
) -> None:
    """Log experiments whose files are at an address."""
    for name, runs in experiments.items():
        experiment = client.create_experiment(f"{name}.", artifacts)
        earlier: list[str] = []
        for run in runs:
            earlier.append(log(client, experiment, run, earlier))
