"""`dvc.lock`: what the stages were last run with, and the MD5 of what they wrote."""

import hashlib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from core.errors import UsageError, first_fault
from pipeline.yaml_file import parse_yaml

NAME = "dvc.lock"
PARAMS = "params.yaml"
LAST_STAGE = "register"


class Entry(BaseModel, frozen=True):
    """A file or folder that a stage read or wrote."""

    path: str
    md5: str = ""


class Stage(BaseModel, frozen=True):
    """One stage of one task, such as `train@iris`."""

    outs: list[Entry] = []
    params: dict[str, dict[str, Any]] = {}


class Lock(BaseModel, frozen=True):
    """The whole file; other keys are DVC's own affair."""

    stages: dict[str, Stage] = {}

    @classmethod
    def read(cls, root: Path) -> "Lock | None":
        """Return the lock file of a checkout; None if there is none.

        Raises:
            UsageError: the file is damaged.
        """
        path = root / NAME
        if not path.is_file():
            return None
        try:
            content = parse_yaml(path.read_text("utf-8"), NAME)
            return cls.model_validate(content or {})
        except ValidationError as error:
            raise UsageError(
                f"{NAME}: {first_fault(error)}: write it with `dvc repro`."
            ) from error

    def tasks(self) -> list[str]:
        """Return the tasks whose last stage was run."""
        names = []
        for name in self.stages:
            stage, _, task = name.partition("@")
            if stage == LAST_STAGE:
                names.append(task)
        return names

    def params(self, task: str) -> dict[str, Any]:
        """Return the values of a task's last stage by their path in `params.yaml`."""
        return self.stages[f"{LAST_STAGE}@{task}"].params.get(PARAMS, {})

    def has_digest(self, stage: str, task: str, name: str, digest: str) -> bool:
        """Return whether a stage wrote this digest as the text of a file.

        Args:
            stage: the stage, such as `prepare`.
            task: the task.
            name: the name of the file.
            digest: the SHA-256 that it should hold.
        """
        text = f"{digest}\n".encode()
        expected = hashlib.md5(text, usedforsecurity=False).hexdigest()
        written = self.stages.get(f"{stage}@{task}", Stage())
        for entry in written.outs:
            if entry.path.endswith(f"/{task}/{name}"):
                return entry.md5 == expected
        return False
