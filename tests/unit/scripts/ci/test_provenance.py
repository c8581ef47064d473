"""The signed provenance of the images: the commit that was built, and its models."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from core.git import git
from tests.conftest import commit_all
from tests.paths import ROOT

GITHUB = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "o/n",
    "GITHUB_SHA": "a" * 40,
    "GITHUB_REF": "refs/heads/trunk",
    "GITHUB_RUN_ID": "7",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_WORKFLOW_REF": "o/n/.github/workflows/mlops.yml@refs/heads/trunk",
}


def run(repo: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-S", "-m", "scripts.ci.provenance"]
    environment = os.environ | GITHUB
    environment |= {"PYTHONPATH": str(ROOT), "GITHUB_OUTPUT": ""}
    return subprocess.run(
        command,
        cwd=repo,
        env=environment | more,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_names_the_commit_that_was_built_and_the_one_that_was_pushed(
    tmp_path: Path,
) -> None:
    git(tmp_path, "init", "--quiet")
    model = tmp_path / "deployment" / "models" / "iris" / "model.onnx"
    model.parent.mkdir(parents=True)
    model.write_bytes(b"a model")
    built = commit_all(tmp_path, f"chore(publish): iris\n\nMlops-Publish: {'b' * 40}\n")
    images = {
        "api": "ghcr.io/o/n/mlops-api@sha256:1",
        "mlflow": "",
        "failure": "",
    }
    done = run(tmp_path, IMAGES=json.dumps(images))
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        "api-name=ghcr.io/o/n/mlops-api",
        "api-digest=sha256:1",
    ]
    file = tmp_path / "build" / "provenance.json"
    predicate = json.loads(file.read_text("utf-8"))
    definition = predicate["buildDefinition"]
    assert definition["resolvedDependencies"] == [
        {"uri": "git+https://github.com/o/n", "digest": {"gitCommit": built}},
        {
            "name": "deployment/models/iris/model.onnx",
            "digest": {"sha256": hashlib.sha256(b"a model").hexdigest()},
        },
    ]
    parameters = definition["internalParameters"]["github"]
    assert parameters["triggering_commit"] == "a" * 40
    assert parameters["trained_commit"] == "b" * 40
    assert predicate["runDetails"] == {
        "builder": {
            "id": "https://github.com/o/n/.github/workflows/mlops.yml@refs/heads/trunk"
        },
        "metadata": {
            "invocationId": "https://github.com/o/n/actions/runs/7/attempts/2"
        },
    }


def test_outside_of_a_workflow_it_says_what_is_missing(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    done = run(tmp_path, IMAGES="{}", GITHUB_SERVER_URL="")
    assert done.returncode == 2
    assert "error: GITHUB_SERVER_URL is not set" in done.stderr
    assert "failure=GITHUB_SERVER_URL is not set" in done.stderr
