"""The files of the workflows, read as YAML."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.paths import ROOT

FOLDER = ROOT / ".github" / "workflows"
# PyYAML reads the key `on` as a truth value.
ON = True
Job = dict[str, Any]
Step = dict[str, Any]


@dataclass(frozen=True)
class Workflow:
    """A workflow's file: its text, and its content as YAML."""

    name: str
    text: str
    content: dict[Any, Any]

    @classmethod
    def read(cls, path: Path) -> "Workflow":
        """Read a file."""
        text = path.read_text(encoding="utf-8")
        return cls(path.name, text, yaml.safe_load(text))

    @property
    def jobs(self) -> dict[str, Job]:
        """The jobs by name."""
        jobs: dict[str, Job] = self.content["jobs"]
        return jobs

    def steps(self) -> Iterator[tuple[str, Step]]:
        """Go through the steps, each with the name of its job."""
        for name, job in self.jobs.items():
            for step in job.get("steps", []):
                yield name, step


def workflows() -> list[Workflow]:
    """Read the workflows of this project."""
    paths = sorted(FOLDER.glob("*.y*ml"))
    return [Workflow.read(path) for path in paths]
