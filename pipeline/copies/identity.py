"""What a copy is called, and where in the template's files that stands.

`pipeline init` writes it into the files and keeps it in `.template.yaml`; `pipeline
update` writes it into the template's newer files before it merges them, so the names
are never a conflict.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, Field, ValidationError

from core.errors import PipelineError, UsageError, first_fault
from core.files import read_yaml, write_atomic

FILE = ".template.yaml"
_NOTE = (
    "# Written by `pipeline init`; `pipeline update` keeps these names in the"
    " template's files.\n"
)
# A character that would end a line, or the quotes of pyproject.toml, has no place in a
# name.
Name = Annotated[
    str, Field(min_length=1, max_length=100, pattern=r'^[^\x00-\x1f\x7f"\\]*$')
]
Edit = Callable[[str], str]


class Identity(BaseModel, extra="forbid", frozen=True):
    """A copy's own names.

    Attributes:
        name: the project's name, as a person writes it.
        repository: `owner/name` on GitHub; without it there is no badge.
        holder: who holds the copyright of what the copy adds.
        year: since when, as in the licence.
    """

    name: Name
    repository: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")] | None = None
    holder: Name | None = None
    year: int = Field(ge=1970, le=9999)

    @property
    def slug(self) -> str:
        """The name in the form that packages and images have."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or "project"

    def edits(self) -> dict[str, Edit]:
        """Return by file what puts the names into its text; a second time it changes
        nothing.
        """
        return {
            "README.md": self._readme,
            "LICENSE": self._licence,
            "pyproject.toml": _replacing(r'(?m)^(name = )".*"$', rf'\1"{self.slug}"'),
            # Of the images that are built on this machine: another copy's have other
            # names.
            "docker-compose.yml": _replacing(
                r"(\$\{REPOSITORY:-)[^}]*", rf"\1{self.slug}"
            ),
            ".env.example": _replacing(r"(?m)^(REPOSITORY=).*$", rf"\1{self.slug}"),
            "scripts/stack/builds.py": _replacing(r'("local/)[^"]*', rf"\1{self.slug}"),
            "zensical.toml": _replacing(
                r'(?m)^(site_name = )".*"$', rf'\1"{self.name}"'
            ),
            "docs/configuration.md": _replacing(
                r"(?m)^(\| `REPOSITORY` \| `)[^`]*", rf"\1{self.slug}"
            ),
        }

    def _readme(self, text: str) -> str:
        title, _, rest = text.partition("\n")
        if not title.startswith("# "):
            return text  # a page of the copy's own
        lines = [f"# {self.name}", *([self._badge] if self.repository else [])]
        # The badge of an earlier name goes.
        rest = re.sub(r"\A\[!\[MLOps\][^\n]*\n", "", rest)
        return "\n".join(lines) + "\n" + rest

    @property
    def _badge(self) -> str:
        workflow = f"https://github.com/{self.repository}/actions/workflows/mlops.yml"
        return f"[![MLOps]({workflow}/badge.svg)]({workflow})"

    def _licence(self, text: str) -> str:
        """Add the holder above the template's own line, which the licence asks to keep."""
        if not self.holder:
            return text
        line = self.licence_line
        return (
            text
            if line in text
            else text.replace("Copyright (c)", f"{line}Copyright (c)", 1)
        )

    @property
    def licence_line(self) -> str:
        """The holder's line in the licence."""
        return f"Copyright (c) {self.year} {self.holder}\n"


def _replacing(pattern: str, text: str) -> Edit:
    return lambda content: re.sub(pattern, text, content)


def read(root: Path) -> Identity | None:
    """Return what a copy is called, or None if `pipeline init` was never run.

    Raises:
        PipelineError: the file was changed into something else.
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
    """Return an identity of what a person asked for.

    Raises:
        UsageError: a name cannot stand in the files.
    """
    try:
        return Identity.model_validate(values)
    except ValidationError as error:
        raise UsageError(f"{first_fault(error)}.") from error


def write(root: Path, identity: Identity) -> list[str]:
    """Put the names into a checkout's files and keep them; return the files' paths."""
    before = read(root)
    for name, edit in identity.edits().items():
        if (root / name).is_file():
            text = (root / name).read_text("utf-8")
            if name == "LICENSE" and before:
                text = text.replace(before.licence_line, "")
            write_atomic(root / name, edit(text))
    content = identity.model_dump(exclude_none=True)
    write_atomic(
        root / FILE,
        _NOTE + yaml.safe_dump(content, sort_keys=False, allow_unicode=True),
    )
    return [FILE, *(name for name in identity.edits() if (root / name).is_file())]
