"""`deployment/release.json` as an object; every fault of the file is one sentence."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import PipelineError, first_fault
from core.file_names import RELEASE
from core.git import succeeds
from pipeline.release import content

ADVICE = (
    f"only the job `release` of the workflow writes it, and `git log -- {RELEASE}`"
    " lists who changed it"
)

Sha256 = Annotated[str, Field(pattern=f"^{content.DIGEST}$")]
Commit = Annotated[str, Field(pattern=f"^{content.COMMIT}$")]
Image = Annotated[str, Field(pattern=f"^{content.IMAGE}$")]


class UnknownCommit(PipelineError):
    """The clone does not hold the commit that a release names."""


class ReleasedModel(BaseModel):
    """The model of a task in a release: its version, and the SHA-256 of its file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(ge=0)
    sha256: Sha256


class Release(BaseModel):
    """What should be in service.

    Attributes:
        commit: the commit that the images were built from; it holds the models.
        images: the images' addresses with their digests, by short name.
        models: the model of each task.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1]
    commit: Commit
    images: dict[str, Image]
    models: dict[str, ReleasedModel]

    @classmethod
    def parse(cls, text: str) -> "Release":
        """Return the release in a file's text.

        Raises:
            PipelineError: it is not a release, or not written as the workflow does.
        """
        try:
            release = cls.model_validate_json(text)
        except ValidationError as error:
            raise PipelineError(
                f"{RELEASE}: {first_fault(error)}; {ADVICE}."
            ) from error
        if release.render() != text:
            raise PipelineError(
                f"{RELEASE} is not written as the workflow writes it: {ADVICE}."
            )
        return release

    def render(self) -> str:
        """Return the text of the file."""
        models = self.model_dump()["models"]
        return content.render(self.commit, self.images, models)

    def require_models(self, clone: Path) -> None:
        """Check that the models are those that the commit holds, by their SHA-256.

        Raises:
            UnknownCommit: the clone does not hold the commit.
            PipelineError: a model is missing, or has another digest or version.
        """
        name = f"{self.commit}^{{commit}}"
        if not succeeds(clone, "cat-file", "-e", name):
            raise UnknownCommit(
                f"{RELEASE} names the commit {self.commit[:12]}, which this clone does"
                " not hold: its models cannot be checked here."
            )
        declared = self.model_dump()["models"]
        committed = content.models_at(clone, self.commit)
        tasks = declared.keys() | committed.keys()
        for task in sorted(tasks):
            if declared.get(task) != committed.get(task):
                raise PipelineError(
                    f"{RELEASE}: the model of {task} is not the one that commit"
                    f" {self.commit[:12]} holds; {ADVICE}."
                )
