"""Reads what students have written from the mirrors of a collection."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from core.errors import PipelineError
from core.git import git
from course.teacher import bounds, class_check, material
from course.teacher.compare import Comparison
from course.teacher.material import Material
from course.teacher.mirror import Mirror
from course.teacher.roster import Row
from course.teacher.sheet import harmless


def read_all(out: Path, rows: Sequence[Row]) -> tuple[dict[str, Material], list[str]]:
    """Return what each student has written, and a sentence for each that has no copy.

    Raises:
        PipelineError: nothing was collected.
    """
    if not (out / "mirrors").is_dir():
        raise PipelineError(
            f"{out} has no copies: run `python -m course collect` first."
        )
    materials = {}
    left_out = []
    for row in rows:
        mirror = Mirror(out / "mirrors" / f"{row.handle}.git", row.handle)
        try:
            if not mirror.main:
                raise PipelineError("there is no copy.")
            bounds.require_bounded(mirror.path, mirror.main)
            materials[row.handle] = material.read(mirror.path, mirror.main)
        except Exception as error:
            # As in a collection: a copy may hold anything.
            left_out.append(f"{row.handle}: {error}")
    return materials, left_out


def solutions(out: Path) -> list[Material]:
    """Return what the solutions have, if `course class check` has made them."""
    clone = class_check.folder(out) / "clone"
    if not clone.is_dir():
        return []
    return [material.read(clone, git(clone, "rev-parse", "main"))]


def to_csv(comparison: Comparison) -> str:
    """Return the pairs as a table, a line for each reason."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["one", "other", "in common"])
    for pair in comparison.pairs:
        for reason in pair.reasons:
            writer.writerow([pair.one, pair.other, harmless(reason)])
    for group in comparison.groups:
        handles = " ".join(group.handles)
        writer.writerow([handles, "", harmless(group.reason)])
    return stream.getvalue()
