"""The Dockerfiles, read without a Docker engine."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.git import git
from tests.paths import ROOT
from tests.support.compose import DOCKERFILES, IMAGES, dockerfile

LABELS = ("title", "source", "revision", "licenses")
COPIED = re.compile(r"^COPY (\w+) /code/mlops/\1$", re.MULTILINE)
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()}


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_images_are_built_in_stages_for_a_user_without_rights(path: Path) -> None:
    text = path.read_text("utf-8")
    stages = re.findall("^FROM ", text, re.MULTILINE)
    users = re.findall("^USER (.*)$", text, re.MULTILINE)
    assert len(stages) > 1
    assert users == ["10001:10001"]
    assert "install.sh" in text
    for label in LABELS:
        assert f"org.opencontainers.image.{label}=" in text


def test_packages_are_installed_with_their_hashes() -> None:
    script = (IMAGES / "install.sh").read_text("utf-8")
    assert "--require-hashes" in script


@pytest.mark.parametrize("name", git(ROOT, "ls-files", "*Dockerfile").split())
def test_packages_of_the_system_are_installed_without_questions(name: str) -> None:
    # For the installation alone: a variable of the image would reach its users.
    text = (ROOT / name).read_text("utf-8")
    for line in text.splitlines():
        if "apt-get install" in line:
            assert "DEBIAN_FRONTEND=noninteractive apt-get install" in line
    assert not re.search("^(ENV|ARG) .*DEBIAN_FRONTEND", text, re.MULTILINE)


def imported_folders(folder: Path) -> set[str]:
    """Return the top-level names that the code in a folder imports."""
    names = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("image", ["api", "mlflow", "pipeline"])
def test_an_image_holds_every_folder_that_its_code_imports(image: str) -> None:
    copied = set(COPIED.findall(dockerfile(image)))
    assert "core" in copied
    for folder in copied:
        ours = imported_folders(ROOT / folder) & FOLDERS
        assert ours <= copied, folder


def shared_stage(image: str) -> Iterator[str]:
    """Yield the first stage of an image, and the comments above the line."""
    text = dockerfile(image)
    yield text[text.index("FROM ") :].partition("\n\n")[0]
    dashes = "-" * 93
    above, _, _ = text.partition(f"# {dashes}\n")
    yield above.rpartition("\n\n")[2]


def test_two_images_share_the_stage_that_is_the_largest() -> None:
    assert list(shared_stage("mlflow")) == list(shared_stage("pipeline"))
