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
        found: dict[str, str] = {}
        for job in self.jobs.values():
            name = job.name.partition(" ")[0]
            found[name] = (
                "failure" if "failure" in (job.result, found.get(name)) else job.result
            )
        return found

    @property
    def summary(self) -> str:
        """The page of the run."""
        return (self.folder / "artifacts" / "summary" / "summary.md").read_text("utf-8")


@dataclass(frozen=True)
class Runner:
    """What all runs of one rehearsal share; each has a folder of its own in `folder`."""

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
        (folder / "event.json").write_text(json.dumps(event), encoding="utf-8")
        text = (clone / ".github" / "workflows" / "mlops.yml").read_text("utf-8")
        (folder / "mlops.yml").write_text(UNREAD.sub("", text), encoding="utf-8")
        command = [
            *("act", kind, "--json", "--directory", str(clone)),
            *(
                "--workflows",
                str(folder / "mlops.yml"),
                "--eventpath",
                str(folder / "event.json"),
            ),
            *("--platform", "ubuntu-24.04=-self-hosted", "--action-offline-mode"),
            *("--no-cache-server", *more),
        ]
        for found in USES.finditer(text):
            action, commit = found["action"], found["commit"]
            standin = STANDINS / action.rpartition("/")[2]
            command += ["--local-repository", f"{action}@{commit}={standin}"]
        given = {"GITHUB_REPOSITORY": REPOSITORY, "GITHUB_REPOSITORY_OWNER": OWNER}
        # By its run the workflow knows what an earlier attempt of the same has
        # published.
        given |= {"GITHUB_RUN_ID": str(secrets.randbelow(10**9))}
        given |= {"REHEARSAL_FOLDER": str(folder), "REHEARSAL_ORIGIN": str(self.origin)}
        given["REHEARSAL_CLONE"] = str(clone)
        # GitHub sets it, act does not.
        workflow = f"{REPOSITORY}/.github/workflows/mlops.yml"
        given["GITHUB_WORKFLOW_REF"] = f"{workflow}@{event.get('ref', '')}"
        given |= self.environment
        for name, value in given.items():
            command += ["--env", f"{name}={value}"]
        for name, value in self.variables.items():
            command += ["--var", f"{name}={value}"]
        for name, value in ({"GITHUB_TOKEN": TOKEN} | self.secrets).items():
            command += ["--secret", f"{name}={value}"]
        began = time.monotonic()
        jobs = self._follow(command, folder)
        return Run(jobs, folder, began, time.monotonic())

    def _follow(self, command: list[str], folder: Path) -> dict[str, Job]:
        """Run act and gather what it says of each job."""
        jobs: dict[str, Job] = {}
        environment = {
            name: text for name, text in os.environ.items() if name != "GITHUB_ACTIONS"
        }
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
                    if line.startswith("{") and "jobID" in (said := json.loads(line)):
                        self._note(jobs, said)
        return jobs

    def _note(self, jobs: dict[str, Job], said: dict[str, Any]) -> None:
        name = " ".join([said["jobID"], *map(str, said.get("matrix", {}).values())])
        job = jobs.setdefault(name, Job(name, time.monotonic()))
        if said.get("raw_output") or said.get("raw"):
            job.log.append(str(said.get("raw") or said["msg"]).rstrip("\r\n"))
        if said.get("command") == "set-output":
            job.outputs[said["name"]] = said["arg"]
        if "jobResult" in said:
            job.result, job.ended = said["jobResult"], time.monotonic()
            self.on_end(job)
