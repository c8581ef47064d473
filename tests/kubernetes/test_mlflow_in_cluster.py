"""MLflow in a real cluster: the history in Git, and what notebooks log."""

from pathlib import Path

import pytest

from core.git import git
from tests.conftest import commit_all
from tests.kubernetes import mlflow_client
from tests.kubernetes.mlflow_client import connected
from tests.kubernetes.stack import NAMESPACE, Stack
from tests.paths import ROOT
from tests.support.waiting import wait_until


def test_every_run_is_there_with_its_artifacts(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with connected(stack, monkeypatch) as client:
        mlflow_client.require_every_run(client, tmp_path)


def test_every_champion_can_be_downloaded(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with connected(stack, monkeypatch):
        mlflow_client.require_every_champion(tmp_path)


def test_a_push_is_followed(stack: Stack, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(ROOT), str(clone))
    (clone / "text.txt").write_text("pushed")
    commit_all(clone, "feat: push")
    commit = stack.push(clone)

    def followed() -> bool:
        target = ("deployment/mlflow-server", "-c", "follow")
        inside = ("--", "git", "-C", "/repo", "rev-parse", "HEAD")
        output = stack.cluster.kubectl("exec", "-n", NAMESPACE, *target, *inside)
        return output.strip() == commit

    wait_until(followed, 60, 1)


def test_what_a_notebook_logs_is_kept_when_the_pod_is_replaced(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connected(stack, monkeypatch):
        run_id = mlflow_client.log_run()
    (before,) = stack.pods("mlflow-server")
    stack.cluster.kubectl("-n", NAMESPACE, "delete", "pod", before)
    stack.await_rollout()
    with connected(stack, monkeypatch) as client:
        mlflow_client.require_logged(client, run_id)
