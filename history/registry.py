"""Promotions: `mlruns/registry/<model>/<version>.json`, written once; the last is the
champion.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from core.errors import PipelineError
from history import runfile
from history.layout import REGISTRY, folders
from history.runfile import ModelId, Record, RunId, Sha256

# The version under which MLflow shows the last challenger that was refused; it is in no
# file.
CHALLENGER = 0


class Check(Record):
    """One question of the gate, its answer, and the numbers that it rests on."""

    name: str
    passed: bool
    detail: str


class Promotion(Record):
    """One version of a registered model; `promoted` is in milliseconds since the epoch,
    UTC.
    """

    format: Literal[1]
    model: str
    version: int = Field(ge=1)
    run_id: RunId
    model_id: ModelId
    sha256: Sha256
    size: int = Field(gt=0)
    promoted: int = Field(gt=0)
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
    decided_by: Literal["gate", "hand"]
    reason: str
    checks: list[Check]
    metrics: dict[str, FiniteFloat]
    replaces: int | None


def dump(promotion: Promotion) -> str:
    """Render a promotion as the text of its file."""
    return runfile.dump(promotion)


def path_of(mlruns: Path, model: str, version: int) -> Path:
    """Return where a version of a model is recorded."""
    return mlruns / REGISTRY / model / f"{version}.json"


def load(path: Path) -> Promotion:
    """Read one promotion.

    Raises:
        PipelineError: the file is not a promotion, or not the one that its name says.
    """
    promotion = runfile.read(path, Promotion)
    if (promotion.model, f"{promotion.version}.json") != (path.parent.name, path.name):
        raise PipelineError(
            f"{path}: holds version {promotion.version} of {promotion.model}; "
            f"{runfile.RESTORE}."
        )
    return promotion


def models(mlruns: Path) -> list[str]:
    """Return the names of the registered models."""
    return folders(mlruns / REGISTRY)


def versions(mlruns: Path, model: str) -> list[Promotion]:
    """Return a model's promotions in order, oldest first.

    Raises:
        PipelineError: the sequence has a gap, or a file is not a promotion.
    """
    folder = mlruns / REGISTRY / model
    found = sorted(
        map(load, folder.glob("*.json")), key=lambda promotion: promotion.version
    )
    for expected, promotion in enumerate(found, start=1):
        if promotion.version != expected:
            raise PipelineError(
                f"{folder}: version {expected} is missing although version"
                f" {promotion.version} is there; {runfile.RESTORE}."
            )
    return found


def champion(mlruns: Path, model: str) -> Promotion | None:
    """Return a model's newest promotion, or None before the first."""
    found = versions(mlruns, model)
    return found[-1] if found else None
