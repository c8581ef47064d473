"""A model that cannot be released is refused, with one sentence that says why."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import commit_all, posix
from tests.support.model_releases import Done, Project, make_project
from tests.support.released_models import IMAGES

pytestmark = posix


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path)


def fault(done: Done) -> str:
    """Return the one sentence with which a step has failed."""
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    lines = done.stdout.splitlines()
    (line,) = [line for line in lines if "::error::" in line]
    sentence = line.removeprefix("::error::")
    assert f"failure={sentence}\n" in done.stderr
    return sentence


def test_another_model_under_the_same_name_is_refused(project: Project) -> None:
    another_digest = "0" * 64
    other = {"name": "model.onnx", "digest": f"sha256:{another_digest}"}
    project.put_release("iris-v1", isDraft=False, assets=[other])
    done = project.step("prepare")
    sentence = fault(done)
    assert "the release iris-v1 on GitHub holds another model" in sentence
    folder = project.files("iris-v1")
    assert not folder.exists()


def test_a_model_that_its_manifest_does_not_name_is_refused(project: Project) -> None:
    models = project.checkout / "deployment" / "models"
    model = models / "iris" / "model.onnx"
    model.write_bytes(b"another")
    commit_all(project.checkout, "fix: a model")
    done = project.step("prepare")
    sentence = fault(done)
    assert "iris/model.onnx is not the file that manifest.json names" in sentence


@pytest.mark.parametrize(
    "described",
    [
        None,
        {},
        {"linux/amd64": {}},
    ],
)
def test_an_image_without_an_sbom_is_refused(project: Project, described: Any) -> None:
    project.put_sbom(described)
    done = project.step("prepare")
    sentence = fault(done)
    image = IMAGES["api"]
    assert sentence.startswith(f"{image} has no SBOM: push it with")


def test_a_refusal_of_github_is_one_sentence(project: Project) -> None:
    done = project.step("prepare", GH_SAYS="HTTP 403:\n no access")
    sentence = fault(done)
    assert sentence == (
        "the release iris-v1 cannot be looked up (HTTP 403: no access): run the failed"
        " jobs again."
    )


def test_without_the_program_gh_one_sentence_says_so(project: Project) -> None:
    programs = project.programs
    gh = programs / "gh"
    gh.unlink()
    located = subprocess.run(
        ["sh", "-c", "command -v git"],
        capture_output=True,
        text=True,
        check=True,
    )
    git_only = programs / "git"
    git_only.symlink_to(located.stdout.strip())
    done = project.step("prepare", PATH=str(programs))
    sentence = fault(done)
    assert sentence.startswith("the program `gh` is not here")


def test_outside_of_a_workflow_it_says_what_is_missing(project: Project) -> None:
    done = project.step("prepare", GITHUB_REPOSITORY="")
    assert done.returncode == 2
    assert "failure=GITHUB_REPOSITORY is not set" in done.stderr
