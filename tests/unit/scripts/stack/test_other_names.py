"""Variables of other stacks at the start command: they work, or are refused."""

import pytest

from app.other_stacks import VARIABLES
from scripts.stack import other_names
from scripts.stack.settings import Settings, StackError
from tests.paths import ROOT


def settings(of_file: tuple[str, ...] = (), **variables: str) -> Settings:
    return Settings(0, ("jaeger",), (), variables, frozenset(of_file))


@pytest.mark.parametrize(
    "name",
    [
        "MLFLOW_BACKEND_STORE_URI",
        "MLFLOW_DEFAULT_ARTIFACT_ROOT",
        "PROMETHEUS_MULTIPROC_DIR",
    ],
)
def test_what_cannot_work_is_refused_without_its_value(name: str) -> None:
    sentence = f"{name} cannot be used here: remove it."
    with pytest.raises(StackError, match=sentence) as refused:
        other_names.applied(settings(**{name: "postgresql://me:s3cret@db"}))
    assert "s3cret" not in str(refused.value)


def test_every_variable_that_is_refused_has_a_sentence() -> None:
    with pytest.raises(StackError) as refused:
        other_names.applied(
            settings(MLFLOW_SERVE_ARTIFACTS="no", DEPLOY_MONITORING="perhaps")
        )
    first, second = str(refused.value).splitlines()
    assert first.startswith("MLFLOW_SERVE_ARTIFACTS can only be true.")
    assert second.startswith("error: DEPLOY_MONITORING can only be true or false.")


@pytest.mark.parametrize("value", ["false", "False", "0", "no"])
def test_monitoring_can_be_left_out(value: str) -> None:
    applied = other_names.applied(settings(DEPLOY_MONITORING=value))
    assert applied.without == (
        "jaeger",
        "prometheus",
        "grafana",
        "node-exporter",
        "cadvisor",
    )
    # The container that checks the variable must not refuse it again.
    assert applied.environment()["DEPLOY_MONITORING"] == ""


def test_a_variable_that_is_unset_stays_unset() -> None:
    """A container with another environment would be created again by `compose up`."""
    assert "DEPLOY_MONITORING" not in settings().environment()


@pytest.mark.parametrize("value", ["true", "1", ""])
def test_monitoring_is_there_otherwise(value: str) -> None:
    given = settings(DEPLOY_MONITORING=value, MLFLOW_SERVE_ARTIFACTS=value)
    assert other_names.applied(given) == given


def test_the_stack_logs_to_no_other_server() -> None:
    name = "MLFLOW_TRACKING_URI"
    other = "https://me:s3cret@mlflow.example.org"
    sentence = f"{name} in .env names another server"
    with pytest.raises(StackError, match=sentence) as refused:
        other_names.applied(settings((name,), MLFLOW_TRACKING_URI=other))
    assert "s3cret" not in str(refused.value)
    for ours in (
        "http://127.0.0.1:5000",
        "http://localhost:5000",
        "http://mlflow-server:5000",
    ):
        other_names.applied(settings((name,), MLFLOW_TRACKING_URI=ours))
    # In the environment it is for clients, such as a notebook: the services ignore it.
    other_names.applied(settings(MLFLOW_TRACKING_URI=other))


def test_every_name_of_the_documents_is_in_the_table() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    for variable in VARIABLES:
        if variable.values is None:
            works = "yes"
        elif variable.values:
            works = "as"
        else:
            works = "rejected"
        assert f"| `{variable.name}` | {works}" in page
