"""Promotions: `registry/<model>/<version>.json`, written once; the last is the champion."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from core.errors import PipelineError
from history import runfile
from history.layout import REGISTRY, folders
from history.record import ModelId, Record, RunId, Sha256

# The version under which MLflow shows the last challenger that was refused. It has no
# file.
CHALLENGER = 0


class Check(Record):
    """One check of the gate, its outcome, and the numbers behind it."""

    name: str
    passed: bool
    detail: str


class Promotion(Record):
    """One version of a registered model.

    `promoted` is in milliseconds since the epoch, UTC; `size` in bytes.
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


def path_of(
    mlruns: Path,
    model: str,
    version: int,
) -> Path:
    """Return where a version of a model is recorded."""
    return mlruns / REGISTRY / model / f"{version}.json"


def load(path: Path) -> Promotion:
    """Read one promotion.

    Raises:
        PipelineError: the file is not a promotion, or not the one that its name says.
    """
    promotion = runfile.read(path, Promotion)
    is_file_of_version = path.name == f"{promotion.version}.json"
    if promotion.model != path.parent.name or not is_file_of_version:
        raise PipelineError(
            f"{path}: holds version {promotion.version} of {promotion.model};"
            f" {runfile.RESTORE}."
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
    promotions = {}
    for path in folder.glob("*.json"):
        promotion = load(path)
        promotions[promotion.version] = promotion
    for version in range(1, len(promotions) + 1):
        if version not in promotions:
            last = max(promotions)
            raise PipelineError(
                f"{folder}: version {version} is missing although version {last} is"
                f" there; {runfile.RESTORE}."
            )
    return [promotions[version] for version in sorted(promotions)]


def champion(mlruns: Path, model: str) -> Promotion | None:
    """Return a model's newest promotion, or None before the first."""
    promotions = versions(mlruns, model)
    if promotions:
        return promotions[-1]
    return None
