"""A checkout whose models the workflow releases on GitHub, with programs in place of
GitHub's `gh` and of Docker.
"""

import hashlib
import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.files import write_atomic
from core.git import git
from scripts.ci import model_releases
from tests.conftest import commit_all
from tests.paths import ROOT
from tests.support.released_models import IMAGES

Done = subprocess.CompletedProcess[str]
DIGESTS = " ".join(IMAGES.values())
PACKAGES = {"spdxVersion": "SPDX-2.3", "packages": [{"name": "onnxruntime"}]}
# It keeps a release as a file, as far as the steps ask for it.
GH = """\
#!/bin/sh
echo "$*" >>"$0.txt"
release="$0.$3.json"
case "$2" in
view)
  [ -e "$release" ] && exec cat "$release"
  echo "$GH_SAYS" >&2
  exit 1 ;;
create)
  [ -e "$release" ] && { echo "a release with the same tag name already exists" >&2; exit 1; }
  echo '{"isDraft": false, "assets": []}' >"$release" ;;
delete) rm "$release" ;;
esac
"""
DOCKER = """\
#!/bin/sh
echo "$*" >>"$0.txt"
cat "$0.json"
"""
GITHUB = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "owner/name",
    "GITHUB_SHA": "a" * 40,
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_RUN_ID": "7",
    "GITHUB_WORKFLOW_REF": "owner/name/.github/workflows/mlops.yml@refs/heads/main",
    "GITHUB_OUTPUT": "",
    "GH_SAYS": "release not found",
}


@dataclass(frozen=True)
class Project:
    """A checkout, and the folder with the programs that its steps call."""

    checkout: Path
    programs: Path

    def promote(self, task: str, version: int) -> str:
        """Commit a model; return its SHA-256."""
        model = f"{task} {version}".encode()
        digest = hashlib.sha256(model).hexdigest()
        manifest = {
            "title": task.title(),
            "description": f"About {task}.",
            "version": version,
            "sha256": digest,
            "algorithm": "random_forest",
            "commit": "c" * 40,
            "run_id": "d" * 32,
            "promoted": 1_795_229_279_508,
            "metric": {"name": "rmse"},
            "holdout": {
                "rows": 4138,
                "metrics": {"rmse": {"value": 0.44543, "low": 0.42, "high": 0.467}},
            },
        }
        folder = self.checkout / "deployment" / "models" / task
        write_atomic(folder / "model.onnx", model)
        write_atomic(folder / "manifest.json", json.dumps(manifest))
        write_atomic(folder / "MODEL_CARD.md", f"# {task}\n")
        commit_all(self.checkout, f"{task} v{version}")
        return digest

    def step(self, step: str, **variables: str) -> Done:
        """Run a step as the workflow does, in the process of the tests."""
        output = io.StringIO()
        errors = io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            redirect_stdout(output),
            redirect_stderr(errors),
        ):
            patch.chdir(self.checkout)
            patch.setattr(sys, "argv", ["model_releases", step])
            for name, value in (self._environment() | variables).items():
                patch.setenv(name, value)
            status = model_releases.main()
        return Done([step], status, output.getvalue(), errors.getvalue())

    def step_alone(self, step: str) -> Done:
        """Run a step in a process of its own, with only the standard library."""
        return subprocess.run(
            [sys.executable, "-S", "-m", "scripts.ci.model_releases", step],
            cwd=self.checkout,
            env=os.environ | self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def _environment(self) -> dict[str, str]:
        search = os.pathsep.join([str(self.programs), os.environ["PATH"]])
        own = {
            "PATH": search,
            "PYTHONPATH": str(ROOT),
            "DIGESTS": DIGESTS,
        }
        return GITHUB | own

    def release(self, *attestation: Path) -> Done:
        """Run both steps, the second one only if the first has something to release."""
        done = self.step("prepare")
        if done.returncode == 0 and "models=\n" not in done.stderr:
            path = "".join(map(str, attestation))
            done = self.step("create", ATTESTATION=path)
        return done

    def files(self, tag: str) -> Path:
        """Return the folder with a release's files."""
        return self.checkout / "build" / "model-releases" / tag

    def asked(self, program: str) -> list[str]:
        """Return the commands that a program was called with."""
        file = self.programs / f"{program}.txt"
        return file.read_text("utf-8").splitlines() if file.is_file() else []

    def put_release(self, tag: str, **content: Any) -> None:
        """Let GitHub have a release."""
        file = self.programs / f"gh.{tag}.json"
        file.write_text(json.dumps(content))

    def put_sbom(self, described: Any) -> None:
        """Let the registry have an SBOM of the API's image."""
        (self.programs / "docker.json").write_text(json.dumps(described))


def make_project(folder: Path) -> Project:
    """Make a project with version 1 of iris in service, of which there is no release."""
    programs = folder / "programs"
    programs.mkdir()
    for name, text in (("gh", GH), ("docker", DOCKER)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    checkout = folder / "checkout"
    checkout.mkdir()
    git(checkout, "init", "--quiet", "--initial-branch=main")
    write_atomic(checkout / ".gitignore", "build/\n")
    project = Project(checkout, programs)
    project.promote("iris", 1)
    project.put_sbom({"SPDX": PACKAGES})
    return project
