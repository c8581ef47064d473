"""Traces of the pipeline's commands, as a local collector receives them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core import release
from core.git import git
from pipeline.repo import Repo
from tests.conftest import Clone
from tests.paths import ROOT
from tests.support import factories
from tests.support.otlp_collector import Collector, collecting

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
CALLED = {"TRACEPARENT": f"00-{TRACE}-{CALLER}-01"}


def run(
    repo: Repo, *arguments: str, **variables: str
) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pipeline", "--repo", str(repo.root), *arguments]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        **variables,
    }
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def published(collector: Collector, repo: Repo, folder: Path, **variables: str) -> str:
    """Publish a forged bundle and return its commit."""
    factories.bundle(
        folder, git(repo.root, "rev-parse", "HEAD"), {"iris": 0.05}, seed=1
    )
    done = run(
        repo, "publish", "--bundle", str(folder), **collector.settings, **variables
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
def test_a_publication_is_part_of_the_trace_of_its_caller(
    clone: Clone, tmp_path: Path
) -> None:
    with collecting() as collector:
        commit = published(collector, clone("team"), tmp_path / "bundle", **CALLED)
        span = collector.wait_for("pipeline publish")
    assert span.trace == TRACE
    assert span.parent == CALLER
    assert span.service == "mlops-pipeline"
    assert span.attributes == {"commit": commit}
    assert not span.failed
    judged = collector.children(span)["judge challenger"]
    assert judged.attributes == {"task": "iris", "decision": "promoted"}


@pytest.mark.slow
def test_the_span_of_a_failed_command_is_marked_as_failed(
    clone: Clone, tmp_path: Path
) -> None:
    with collecting() as collector:
        done = run(
            clone("team"), "publish", "--bundle", str(tmp_path), **collector.settings
        )
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        span = collector.wait_for("pipeline publish")
    assert span.failed
    assert not span.parent


@pytest.mark.slow
def test_a_command_succeeds_without_its_collector(clone: Clone, tmp_path: Path) -> None:
    with collecting() as gone:
        pass
    gone.server_close()
    published(gone, clone("team"), tmp_path / "bundle")


def test_a_release_is_named_by_version_and_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "VERSION", tmp_path / "VERSION")
    for name in ("MLOPS_REVISION", "GITHUB_SHA", "MLOPS_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    assert release.version() == "unknown"
    assert release.environment() == "development"
    (tmp_path / "VERSION").write_text("1.2.0\n")
    assert release.version() == "1.2.0"
    monkeypatch.setenv("MLOPS_REVISION", "97ed602abc1234567890")
    assert release.version() == "1.2.0+97ed602abc12"
    monkeypatch.setenv("MLOPS_ENVIRONMENT", "production")
    assert release.environment() == "production"
