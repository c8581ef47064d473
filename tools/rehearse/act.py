"""Running the workflow file with `act`, without containers.

Without a network `act` cannot fetch other people's actions: small stand-ins replace
them (`standins/`). Nor can it read the newest keys: they are removed from a copy.
"""

import json
import os
import re
import secrets
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STANDINS = Path(__file__).parent / "standins"
UNREAD = re.compile(r"^ +queue: max\n", re.MULTILINE)
# GitHub merges the outputs of a matrix's jobs, act keeps those of the job that ends
# first (nektos/act, issue 981): here one job builds all images.
IMAGES = "fromJSON(needs.plan.outputs.images)"
IMAGES_OF_ONE_JOB = f"""fromJSON(format('["{{0}}"]', join({IMAGES}, ' ')))"""
USES = re.compile(
    r"uses: (?P<action>[\w-]+/[\w-]+)(?:/[\w-]+)?@(?P<commit>[0-9a-f]{40})"
)
OWNER = "Owner"
TOKEN = "ghs_of-a-rehearsal"
REPOSITORY = f"{OWNER}/Name"
LAST_LINES = 60
GITHUBS_REGISTRY = "ghcr.io"


@dataclass
class Job:
    """One job of a run, with its times in seconds of the monotonic clock."""

    name: str
    began: float
    ended: float = 0.0
    result: str = "skipped"
    log: list[str] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long the job took."""
        return self.ended - self.began


@dataclass(frozen=True)
class Run:
    """A whole run of the workflow."""

    jobs: dict[str, Job]
    folder: Path
    began: float
    ended: float

    @property
    def results(self) -> dict[str, str]:
        """The result of each job that began, by its ID; of a matrix, the worst."""
        results: dict[str, str] = {}
        for job in self.jobs.values():
            name, _, _ = job.name.partition(" ")
            if results.get(name) != "failure":
                results[name] = job.result
        return results

    @property
    def failures(self) -> str:
        """The last lines of the log of each job that failed."""
        parts = []
        for name, job in self.jobs.items():
            if job.result == "failure":
                last = "\n".join(job.log[-LAST_LINES:])
                parts.append(f"--- {name} ---\n{last}")
        return "\n".join(parts)

    @property
    def summary(self) -> str:
        """The page of the run."""
        file = self.folder / "artifacts" / "summary" / "summary.md"
        return file.read_text("utf-8")


@dataclass(frozen=True)
class Runner:
    """The settings of one rehearsal's runs; each run has its own folder in `folder`."""

    folder: Path
    origin: Path
    environment: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    on_end: Callable[[Job], None] = lambda job: None

    def run(self, clone: Path, kind: str, event: dict[str, Any], *more: str) -> Run:
        """Answer an event in a clone with the clone's own workflow.

        Args:
            kind: GitHub's name of the event.
            event: its content.
            more: further arguments for act, such as a job or a part of a matrix.
        """
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=self.folder))
        event_file = folder / "event.json"
        event_file.write_text(json.dumps(event), encoding="utf-8")
        workflow = self._write_workflow(clone, folder)
        command = [
            "act",
            kind,
            "--json",
            "--directory",
            str(clone),
            "--workflows",
            str(workflow),
            "--eventpath",
            str(event_file),
            "--platform",
            "ubuntu-24.04=-self-hosted",
            "--action-offline-mode",
            "--no-cache-server",
        ]
        command += more
        command += _standins(workflow.read_text("utf-8"))
        environment = self._environment(clone, folder, event.get("ref", ""))
        secret = {"GITHUB_TOKEN": TOKEN} | self.secrets
        command += _options("--env", environment)
        command += _options("--var", self.variables)
        command += _options("--secret", secret)
        began = time.monotonic()
        jobs = self._follow(command, folder)
        return Run(jobs, folder, began, time.monotonic())

    def _write_workflow(self, clone: Path, folder: Path) -> Path:
        """Write the clone's workflow into a folder, as act understands it."""
        original = clone / ".github" / "workflows" / "mlops.yml"
        registry = self.variables.get("REGISTRY", GITHUBS_REGISTRY)
        workflow = folder / "mlops.yml"
        text = _for_act(original.read_text("utf-8"), registry)
        workflow.write_text(text, encoding="utf-8")
        return workflow

    def _environment(self, clone: Path, folder: Path, ref: str) -> dict[str, str]:
        """Return the variables of all jobs of a run."""
        workflow = f"{REPOSITORY}/.github/workflows/mlops.yml"
        own = {
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_REPOSITORY_OWNER": OWNER,
            # From the run's ID the workflow knows what an earlier attempt published.
            "GITHUB_RUN_ID": str(secrets.randbelow(10**9)),
            # GitHub sets it, act does not.
            "GITHUB_WORKFLOW_REF": f"{workflow}@{ref}",
            "REHEARSAL_FOLDER": str(folder),
            "REHEARSAL_ORIGIN": str(self.origin),
            "REHEARSAL_CLONE": str(clone),
        }
        return own | self.environment

    def _follow(self, command: list[str], folder: Path) -> dict[str, Job]:
        """Run act and gather the jobs from its output."""
        jobs: dict[str, Job] = {}
        environment = dict(os.environ)
        environment.pop("GITHUB_ACTIONS", None)
        with (folder / "log.jsonl").open("w", encoding="utf-8") as log:
            with subprocess.Popen(
                command,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            ) as act:
                assert act.stdout
                for line in act.stdout:
                    log.write(line)
                    if line.startswith("{"):
                        self._read(jobs, json.loads(line))
        return jobs

    def _read(self, jobs: dict[str, Job], line: dict[str, Any]) -> None:
        """Update a job from a line of act's log."""
        if "jobID" not in line:
            return
        name = line["jobID"]
        for value in line.get("matrix", {}).values():
            if value:
                name += f" {value}"
        if name not in jobs:
            jobs[name] = Job(name, time.monotonic())
        job = jobs[name]
        raw = line.get("raw")
        if raw or line.get("raw_output"):
            text = str(raw or line["msg"])
            job.log.append(text.rstrip("\r\n"))
        if line.get("command") == "set-output":
            job.outputs[line["name"]] = line["arg"]
        if "jobResult" in line:
            job.result = line["jobResult"]
            job.ended = time.monotonic()
            self.on_end(job)


def _for_act(workflow: str, registry: str) -> str:
    """Return a workflow as act understands it.

    Args:
        registry: the registry that stands in for GitHub's, so that images are signed.
    """
    assert IMAGES in workflow
    read = UNREAD.sub("", workflow)
    in_one_job = read.replace(IMAGES, IMAGES_OF_ONE_JOB)
    return in_one_job.replace(f"'{GITHUBS_REGISTRY}'", f"'{registry}'")


def _standins(workflow: str) -> list[str]:
    """Return act's options that replace the actions of a workflow by stand-ins."""
    options = []
    for match in USES.finditer(workflow):
        action = match["action"]
        _, _, name = action.rpartition("/")
        replaced = f"{action}@{match['commit']}"
        standin = STANDINS / name
        options += ["--local-repository", f"{replaced}={standin}"]
    return options


def _options(option: str, values: dict[str, str]) -> list[str]:
    """Return an option of act once for each value."""
    options = []
    for name, value in values.items():
        options += [option, f"{name}={value}"]
    return options
