"""The names of a copy, and their places in the template's files.

`pipeline init` writes them into the files and stores them in `.template.yaml`.
`pipeline update` writes them into the template's newer files before it merges these, so
that names never conflict.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, Field, ValidationError

from core.errors import PipelineError, UsageError, first_fault
from core.files import write_atomic
from pipeline.yaml_file import read_yaml

FILE = ".template.yaml"
_NOTE = (
    "# `pipeline init` wrote this file; `pipeline update` puts these names into the"
    " template's files.\n"
)
# A name has no character that would end a line or the quotes of pyproject.toml.
Name = Annotated[
    str, Field(min_length=1, max_length=100, pattern=r'^[^\x00-\x1f\x7f"\\]*$')
]
Edit = Callable[[str], str]


# The names of images that are built on this machine differ between copies. These files
# have them as what stands for a variable that is not set, or as they are.
WITH_DEFAULT_IMAGES = ("docker-compose.yml", "deployment/swarm/stack.yml")
WITH_LOCAL_IMAGES = (
    "deployment/kubernetes/optional/cluster/dask-scheduler.yaml",
    "deployment/kubernetes/optional/cluster/dask-worker.yaml",
    "deployment/kubernetes/optional/training/training.yaml",
    "deployment/kubernetes/overlays/scale/patches/mlflow-server.yaml",
    "deployment/kubernetes/overlays/small/kustomization.yaml",
    "docs/kubernetes.md",
    "tests/kubernetes/helpers.yaml",
    "tests/kubernetes/origin.Dockerfile",
)


class Identity(BaseModel, extra="forbid", frozen=True):
    """A copy's own names.

    Attributes:
        name: the project's name, as a person writes it.
        repository: `owner/name` on GitHub; without it there is no badge.
        holder: the holder of the copyright of what the copy adds.
        year: the first year in the licence.
    """

    name: Name
    repository: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")] | None = None
    holder: Name | None = None
    year: int = Field(ge=1970, le=9999)

    @property
    def slug(self) -> str:
        """The name in the form that packages and images have."""
        words = re.sub(r"[^a-z0-9]+", "-", self.name.lower())
        return words.strip("-") or "project"

    def edits(self) -> dict[str, Edit]:
        """Return an edit per file that writes the names; repeating it changes nothing."""
        edits = {
            "README.md": self._readme,
            "LICENSE": self._licence,
            "pyproject.toml": _replacing(r'(?m)^(name = )".*"$', rf'\1"{self.slug}"'),
            ".env.example": _replacing(r"(?m)^(REPOSITORY=).*$", rf"\1{self.slug}"),
            "scripts/stack/builds.py": _replacing(r'("local/)[^"]*', rf"\1{self.slug}"),
            "zensical.toml": _replacing(
                r'(?m)^(site_name = )".*"$', rf'\1"{self.name}"'
            ),
            "docs/configuration.md": _replacing(
                r"(?m)^(\| `REPOSITORY` \| `)[^`]*", rf"\1{self.slug}"
            ),
        }
        for name in WITH_DEFAULT_IMAGES:
            edits[name] = _replacing(r"(\$\{REPOSITORY:-)[^}]*", rf"\1{self.slug}")
        for name in WITH_LOCAL_IMAGES:
            edits[name] = _replacing(
                r"(ghcr\.io/local/)[a-z0-9-]+(/mlops-)", rf"\1{self.slug}\2"
            )
        return edits

    def _readme(self, text: str) -> str:
        title, _, rest = text.partition("\n")
        if not title.startswith("# "):
            return text  # the copy has a README of its own
        # Remove the badge of an earlier name.
        rest = re.sub(r"\A\[!\[MLOps\][^\n]*\n", "", rest)
        badge = f"{self._badge}\n" if self.repository else ""
        return f"# {self.name}\n{badge}{rest}"

    @property
    def _badge(self) -> str:
        workflow = f"https://github.com/{self.repository}/actions/workflows/mlops.yml"
        return f"[![MLOps]({workflow}/badge.svg)]({workflow})"

    def _licence(self, text: str) -> str:
        """Add the holder above the template's own line, which the licence says to keep."""
        line = self.licence_line
        if not self.holder or line in text:
            return text
        return text.replace("Copyright (c)", f"{line}Copyright (c)", 1)

    @property
    def licence_line(self) -> str:
        """The holder's line in the licence."""
        return f"Copyright (c) {self.year} {self.holder}\n"


def _replacing(pattern: str, text: str) -> Edit:
    return lambda content: re.sub(pattern, text, content)


def read(root: Path) -> Identity | None:
    """Return the names of a copy, or None if `pipeline init` was never run.

    Raises:
        PipelineError: the file is damaged.
    """
    path = root / FILE
    if not path.is_file():
        return None
    try:
        return Identity.model_validate(read_yaml(path, FILE))
    except ValidationError as error:
        raise PipelineError(
            f"{FILE}: {first_fault(error)}; run `pipeline init` again."
        ) from error


def make(**values: object) -> Identity:
    """Return an identity with the given names.

    Raises:
        UsageError: a name cannot be used.
    """
    try:
        return Identity.model_validate(values)
    except ValidationError as error:
        raise UsageError(f"{first_fault(error)}.") from error


def write(root: Path, identity: Identity) -> list[str]:
    """Write the names into the files of a checkout, and store them; return the paths."""
    before = read(root)
    written = [FILE]
    for name, edit in identity.edits().items():
        path = root / name
        if not path.is_file():
            continue
        text = path.read_text("utf-8")
        if name == "LICENSE" and before:
            text = text.replace(before.licence_line, "")
        write_atomic(path, edit(text))
        written.append(name)
    content = identity.model_dump(exclude_none=True)
    names = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    write_atomic(root / FILE, _NOTE + names)
    return written
