"""What a process runs: the digest covers all code, and differences are named."""

from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest

import core
import history
import pipeline
from core.errors import PipelineError
from core.git import git
from pipeline import code_version
from tests.paths import ROOT


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
    assert code_version.PACKAGES == (core, history, pipeline)
    digest = code_version.digest_of_code()
    assert len(digest) == 64
    assert code_version.digest_of_code() == digest


@pytest.mark.parametrize("changed", ["module.py", "settings.yaml", "rows.sql"])
def test_a_change_in_any_of_them_changes_the_digest(
    changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = [package(tmp_path, name) for name in ("core", "pipeline")]
    monkeypatch.setattr(code_version, "PACKAGES", packages)
    first = code_version.digest_of_code()
    notes = tmp_path / "core" / "notes.txt"
    notes.write_text("something else", "utf-8")
    assert code_version.digest_of_code() == first
    digests = {first}
    for name in ("core", "pipeline"):
        path = tmp_path / name / changed
        path.write_text("something else", "utf-8")
        digests.add(code_version.digest_of_code())
    assert len(digests) == 3


def test_a_process_describes_its_commit_code_and_libraries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    description = code_version.describe()
    assert description["code"] == code_version.digest_of_code()
    assert description["scikit-learn"] == version("scikit-learn")
    assert description["commit"] == git(ROOT, "rev-parse", "HEAD")
    # An image has no repository, but this variable.
    monkeypatch.setenv("MLOPS_REVISION", "0123abc")
    assert code_version.commit() == "0123abc"


OURS = {
    "commit": "a" * 40,
    "code": "b" * 64,
    "Python": "3.13.1",
    "numpy": "2.4.0",
}


@pytest.mark.parametrize("name", ["code", "Python", "numpy"])
def test_other_code_and_other_libraries_are_a_difference(name: str) -> None:
    theirs = OURS | {name: "1.2.3"}
    expected = f"{name} 1.2.3, here {OURS[name][:12]}"
    assert code_version.difference(theirs, OURS) == expected
    del theirs[name]
    expected = f"{name} none, here {OURS[name][:12]}"
    assert code_version.difference(theirs, OURS) == expected


def test_another_commit_is_a_difference_unless_one_of_the_two_is_unknown() -> None:
    other = OURS | {"commit": "c" * 40}
    expected = f"commit {'c' * 12}, here {'a' * 12}"
    assert code_version.difference(other, OURS) == expected
    unknown = OURS | {"commit": ""}
    assert code_version.difference(unknown, OURS) == ""
    assert code_version.difference(OURS, unknown) == ""
    assert code_version.difference(OURS, OURS) == ""


def test_a_library_that_is_missing_is_one_sentence() -> None:
    with pytest.raises(PipelineError) as raised:
        code_version.version_of("not-a-library")
    assert str(raised.value) == (
        "the Python package not-a-library is not installed: install the packages of"
        " requirements/pipeline.txt."
    )
