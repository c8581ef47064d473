"""The digest of the code covers everything that a training runs."""

from pathlib import Path
from types import ModuleType

import pytest

import core
import history
import pipeline
from pipeline.train import run_tags


def package(folder: Path, name: str) -> ModuleType:
    """Return a package with one module and one file of each other kind."""
    place = folder / name
    place.mkdir(parents=True)
    (place / "__init__.py").touch()
    for file in ("module.py", "settings.yaml", "rows.sql", "notes.txt"):
        path = place / file
        path.write_text(f"{name} {file}", "utf-8")
    module = ModuleType(name)
    module.__file__ = str(place / "__init__.py")
    return module


def test_the_code_of_a_training_is_that_of_three_folders() -> None:
    assert run_tags.PACKAGES == (core, history, pipeline)
    digest = run_tags.digest_of_code()
    assert len(digest) == 64
    assert run_tags.digest_of_code() == digest


@pytest.mark.parametrize("changed", ["module.py", "settings.yaml", "rows.sql"])
def test_a_change_in_any_of_them_changes_the_digest(
    changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = [package(tmp_path, name) for name in ("core", "pipeline")]
    monkeypatch.setattr(run_tags, "PACKAGES", packages)
    first = run_tags.digest_of_code()
    notes = tmp_path / "core" / "notes.txt"
    notes.write_text("something else", "utf-8")
    assert run_tags.digest_of_code() == first
    digests = {first}
    for name in ("core", "pipeline"):
        path = tmp_path / name / changed
        path.write_text("something else", "utf-8")
        digests.add(run_tags.digest_of_code())
    assert len(digests) == 3
