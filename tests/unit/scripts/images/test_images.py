"""The command that builds images; a real push is in `tests/stack`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scripts.images import build
from tests.paths import ROOT


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.images", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_image_that_the_compose_file_builds_is_built_once() -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    compose_file = yaml.safe_load(text)
    built = {}
    for name, service in compose_file["services"].items():
        if "build" in service:
            built[name] = service["image"]
    chosen = [built[name] for name in build.SERVICES]
    assert len(set(chosen)) == len(chosen)
    assert set(chosen) == set(built.values())


def test_the_workflow_knows_each_image_by_a_short_name() -> None:
    assert build.short("ghcr.io/me/copy/mlops-api") == "api"
    assert build.short("ghcr.io/me/copy/mlops-pipeline") == "pipeline"


@pytest.mark.skipif(os.name == "nt", reason="links to programs are a POSIX matter")
def test_without_docker_one_sentence_says_so(tmp_path: Path) -> None:
    (tmp_path / "git").symlink_to(shutil.which("git") or "")
    done = run("build", PATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert (
        done.stderr
        == "error: the program `docker` is not here: install Docker with buildx.\n"
    )


def test_a_service_without_an_image_is_a_wrong_use() -> None:
    done = run("build", "prometheus")
    assert done.returncode == 2
    sentence = "prometheus: no image is built for it; there are mlops-api, mlflow-"
    assert sentence in done.stderr


def test_a_workflows_matrix_may_pass_several_services_as_one_argument() -> None:
    done = run("build", "trainer nginx mlops-api")
    assert "nginx: no image is built for it" in done.stderr
