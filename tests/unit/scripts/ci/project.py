"""A repository with the first job of its workflow, which plans the others."""

import json
import os
import subprocess
import sys
from pathlib import Path

from core.git import git
from tests.conftest import commit_all
from tests.paths import ROOT
from tests.support.json_content import Json

OWN = "chore(publish): iris v2 promoted\n\nMlops-Publish: 0123456789abcdef\n"
MANIFEST = "deployment/models/iris/manifest.json"


class Project:
    """A repository, and the first job of its workflow."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "repo"
        self.output = folder / "output"
        self.event = folder / "event.json"
        self.folder.mkdir()
        git(self.folder, "init", "--quiet", "--initial-branch=trunk")
        manifest = self.folder / MANIFEST
        manifest.parent.mkdir(parents=True)
        manifest.write_text("{}")
        self.before = self.commit("feat: a change", "params.yaml")

    def commit(self, message: str, *paths: str) -> str:
        """Change files and commit them."""
        for path in paths:
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a") as stream:
                stream.write("1")
        return commit_all(self.folder, message)

    def publish(self) -> str:
        """Commit as the pipeline does."""
        return self.commit(OWN, "mlruns/iris/run.json", "data/iris.csv.gz")

    def run(
        self, name: str = "push", ref: str = "refs/heads/trunk", **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the script as a workflow does, with only the standard library."""
        after = git(self.folder, "rev-parse", "HEAD")
        event: Json = {
            "before": more.pop("before", self.before),
            "after": after,
            "repository": {
                "default_branch": "trunk",
                "private": more.pop("private", "") != "",
            },
            "merge_group": {"base_sha": self.before, "head_sha": after},
            "inputs": {"tasks": more.pop("tasks", "")},
        }
        self.event.write_text(json.dumps(event))
        self.output.unlink(missing_ok=True)
        environment = os.environ | {
            "GITHUB_EVENT_NAME": name,
            "GITHUB_EVENT_PATH": str(self.event),
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_REF": ref,
            "PYTHONPATH": str(ROOT),
        }
        for variable in ("ACT", "MLOPS_BUDGET", "MLOPS_TRAIN_JOBS"):
            environment.pop(variable, None)
        command = [sys.executable, "-S", "-m", "scripts.ci.plan"]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environment | more,
            capture_output=True,
            text=True,
            check=False,
        )

    def outputs(self, *event: str, **more: str) -> dict[str, str]:
        """Return the outputs that the script writes."""
        done = self.run(*event, **more)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("error") == 0, done.stderr
        lines = self.output.read_text("utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def jobs(self, *event: str, **more: str) -> set[str]:
        """Return the jobs that are planned."""
        outputs = self.outputs(*event, **more)
        assert outputs["why"].endswith(".")
        return set(json.loads(outputs["jobs"]))
