"""Models as releases on GitHub: a real repository, and programs in place of GitHub's
`gh` and of Docker.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from core.git import git
from tests.conftest import posix
from tests.support.model_releases import PACKAGES, Done, Project, make_project
from tests.support.released_models import IMAGES

pytestmark = posix


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path)


@pytest.fixture
def signatures(tmp_path: Path) -> Path:
    file = tmp_path / "bundle.json"
    file.write_text("signatures")
    return file


def succeeds(done: Done) -> None:
    assert done.returncode == 0, done.stderr


def sbom_of(project: Project, tag: str) -> Any:
    """Return the software that a release lists."""
    file = project.files(tag) / "sbom.spdx.json"
    text = file.read_text("utf-8")
    return json.loads(text)


def text_of(project: Project, tag: str) -> str:
    """Return what a release says."""
    file = project.files(f"{tag}.md")
    return file.read_text("utf-8")


def test_a_new_champion_is_released_with_all_its_files(
    project: Project,
    signatures: Path,
) -> None:
    digest = project.promote("housing", 5)
    project.put_release("iris-v1", isDraft=False, assets=[])
    prepared = project.step_alone("prepare")
    succeeds(prepared)
    assert "models=housing-v5\n" in prepared.stderr
    created = project.step("create", ATTESTATION=str(signatures))
    succeeds(created)
    check_files(project, "housing-v5", digest)
    check_commands(project, "housing-v5")


def check_files(
    project: Project,
    tag: str,
    digest: str,
) -> None:
    """Check the files of the release of housing's version 5."""
    folder = project.files(tag)
    assert file_names(folder) == [
        "MODEL_CARD.md",
        "SHA256SUMS",
        "attestation.json",
        "manifest.json",
        "model.onnx",
        "sbom.spdx.json",
    ]
    model = folder / "model.onnx"
    assert model.read_bytes() == b"housing 5"
    assert sbom_of(project, tag) == PACKAGES
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    subprocess.run(
        check,
        cwd=folder,
        check=True,
        capture_output=True,
    )
    file = folder / "SHA256SUMS"
    sums = file.read_text("utf-8")
    assert f"{digest}  model.onnx\n" in sums


def file_names(folder: Path) -> list[str]:
    paths = sorted(folder.iterdir())
    return [path.name for path in paths]


def check_commands(project: Project, tag: str) -> None:
    """Check how GitHub and the registry were asked for that release."""
    commit = git(project.checkout, "rev-parse", "HEAD")
    command = project.asked("gh")[-1]
    folder = project.files(tag)
    paths = [str(folder / name) for name in file_names(folder)]
    listed = " ".join(paths)
    assert command.startswith(f"release create {tag} {listed} --repo owner/name")
    assert f"--target {commit} --title Housing, version 5" in command
    assert command.endswith("--latest=false")
    image = IMAGES["api"]
    described = project.asked("docker")
    assert described == [
        f"buildx imagetools inspect {image} --format {{{{json .SBOM}}}}",
    ]


def test_the_text_says_how_to_download_and_verify_it(
    project: Project,
    signatures: Path,
) -> None:
    done = project.release(signatures)
    succeeds(done)
    text = text_of(project, "iris-v1")
    assert "since 2026-11-21: random forest, rmse 0.4454 (95 % interval 0.42" in text
    assert "on 4,138 rows" in text
    command = (
        "gh release download iris-v1 --repo owner/name --dir iris-v1 && gh attestation"
        " verify iris-v1/model.onnx --repo owner/name\n"
    )
    assert command in text


def test_without_signatures_the_digests_are_checked(project: Project) -> None:
    done = project.release()
    succeeds(done)
    attestation = project.files("iris-v1") / "attestation.json"
    assert not attestation.exists()
    text = text_of(project, "iris-v1")
    assert "--dir iris-v1 && (cd iris-v1 && sha256sum --check SHA256SUMS)\n" in text


def test_the_files_come_with_their_provenance(project: Project) -> None:
    digest = project.promote("iris", 2)
    done = project.step("prepare")
    succeeds(done)
    file = project.checkout / "build" / "provenance.json"
    provenance = json.loads(file.read_text("utf-8"))
    definition = provenance["buildDefinition"]
    model = {
        "name": "deployment/models/iris/model.onnx",
        "digest": {"sha256": digest},
    }
    assert model in definition["resolvedDependencies"]


def test_a_second_run_releases_nothing(project: Project) -> None:
    first = project.release()
    succeeds(first)
    again = project.release()
    succeeds(again)
    assert again.stdout == "iris-v1 is released already.\n"
    assert "models=\n" in again.stderr
    created = []
    for command in project.asked("gh"):
        if command.startswith("release create"):
            created.append(command)
    assert len(created) == 1


def test_an_interrupted_release_is_made_again(project: Project) -> None:
    project.put_release("iris-v1", isDraft=True, assets=[])
    done = project.release()
    succeeds(done)
    verbs = []
    for command in project.asked("gh"):
        _, verb, *_ = command.split()
        verbs.append(verb)
    assert verbs == ["view", "view", "delete", "create"]


def test_nothing_is_released_if_latest_was_not_moved(project: Project) -> None:
    done = project.step("prepare", DIGESTS="")
    succeeds(done)
    assert done.stdout == "`latest` was not moved: no model is released.\n"
    assert done.stderr == "models=\n"
    assert project.asked("gh") == []


def test_the_sbom_of_several_platforms_is_that_of_the_usual_one(
    project: Project,
) -> None:
    usual = {"SPDX": PACKAGES}
    other = {"SPDX": {"packages": []}}
    described = {"linux/amd64": usual, "linux/arm64": other}
    project.put_sbom(described)
    done = project.step("prepare")
    succeeds(done)
    assert sbom_of(project, "iris-v1") == PACKAGES
