"""Running a workflow file with `act`, as it is, without containers.

`act` can neither fetch the actions of others without network nor read the newest keys:
small stand-ins take the place of the first (`standins/`), and the second are taken out
of a copy.
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
USES = re.compile(
    r"uses: (?P<action>[\w-]+/[\w-]+)(?:/[\w-]+)?@(?P<commit>[0-9a-f]{40})"
)
OWNER, TOKEN = "Owner", "ghs_of-a-rehearsal"
REPOSITORY = f"{OWNER}/Name"


@dataclass
class Job:
    """One job of a run: when it began and ended (seconds, monotonic), its result and
    its log.
    """

    name: str
    began: float
    ended: float = 0.0
    result: str = "skipped"
    log: list[str] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """A whole run of the workflow."""

    jobs: dict[str, Job]
    folder: Path
    began: float
    ended: float

    @property
    def results(self) -> dict[str, str]:
        """The result of each job that was begun, by its id; a matrix counts as its
        worst.
        """
        results: dict[str, str] = {}
        for job in self.jobs.values():
            name, _, _ = job.name.partition(" ")
            if results.get(name) != "failure":
                results[name] = job.result
        return results

    @property
    def summary(self) -> str:
        """The page of the run."""
        return (self.folder / "artifacts" / "summary" / "summary.md").read_text("utf-8")


@dataclass(frozen=True)
class Runner:
    """What all runs of one rehearsal share; each run has its own folder in `folder`."""

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
        text = (clone / ".github" / "workflows" / "mlops.yml").read_text("utf-8")
        workflow = folder / "mlops.yml"
        workflow.write_text(UNREAD.sub("", text), encoding="utf-8")
        command = ["act", kind, "--json", "--directory", str(clone)]
        command += ["--workflows", str(workflow), "--eventpath", str(event_file)]
        command += ["--platform", "ubuntu-24.04=-self-hosted"]
        command += ["--action-offline-mode", "--no-cache-server", *more]
        for match in USES.finditer(text):
            action = f"{match['action']}@{match['commit']}"
            standin = STANDINS / match["action"].rpartition("/")[2]
            command += ["--local-repository", f"{action}={standin}"]
        environment = self._environment(clone, folder, event.get("ref", ""))
        for name, value in environment.items():
            command += ["--env", f"{name}={value}"]
        for name, value in self.variables.items():
            command += ["--var", f"{name}={value}"]
        for name, value in ({"GITHUB_TOKEN": TOKEN} | self.secrets).items():
            command += ["--secret", f"{name}={value}"]
        began = time.monotonic()
        jobs = self._follow(command, folder)
        return Run(jobs, folder, began, time.monotonic())

    def _environment(self, clone: Path, folder: Path, ref: str) -> dict[str, str]:
        """Return the variables of all jobs of a run."""
        workflow = f"{REPOSITORY}/.github/workflows/mlops.yml"
        own = {
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_REPOSITORY_OWNER": OWNER,
            # By its run the workflow knows what an earlier attempt of the same has
            # published.
            "GITHUB_RUN_ID": str(secrets.randbelow(10**9)),
            # GitHub sets it, act does not.
            "GITHUB_WORKFLOW_REF": f"{workflow}@{ref}",
            "REHEARSAL_FOLDER": str(folder),
            "REHEARSAL_ORIGIN": str(self.origin),
            "REHEARSAL_CLONE": str(clone),
        }
        return own | self.environment

    def _follow(self, command: list[str], folder: Path) -> dict[str, Job]:
        """Run act and gather what it says of each job."""
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
        """Take over what a line of act's log says of a job."""
        if "jobID" not in line:
            return
        matrix = line.get("matrix", {}).values()
        name = " ".join([line["jobID"], *map(str, matrix)])
        job = jobs.setdefault(name, Job(name, time.monotonic()))
        if line.get("raw_output") or line.get("raw"):
            text = str(line.get("raw") or line["msg"])
            job.log.append(text.rstrip("\r\n"))
        if line.get("command") == "set-output":
            job.outputs[line["name"]] = line["arg"]
        if "jobResult" in line:
            job.result = line["jobResult"]
            job.ended = time.monotonic()
            self.on_end(job)
