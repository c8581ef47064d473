"""Models as releases on GitHub: a real repository, and programs in place of GitHub's
`gh` and of Docker.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from core.git import git
from tests.conftest import commit_all, posix
from tests.support.model_releases import PACKAGES, Done, Project, make_project
from tests.support.released_models import IMAGES

pytestmark = posix


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path)


def test_a_new_champion_is_released_with_all_its_files(
    project: Project, tmp_path: Path
) -> None:
    digest = project.promote("housing", 5)
    project.put_release("iris-v1", isDraft=False, assets=[])
    signatures = tmp_path / "bundle.json"
    signatures.write_text("signatures")
    prepared = project.step_alone("prepare")
    assert prepared.returncode == 0, prepared.stderr
    assert "models=housing-v5\n" in prepared.stderr
    created = project.step("create", ATTESTATION=str(signatures))
    assert created.returncode == 0, created.stderr

    folder = project.files("housing-v5")
    names = [path.name for path in sorted(folder.iterdir())]
    assert names == [
        "MODEL_CARD.md",
        "SHA256SUMS",
        "attestation.json",
        "manifest.json",
        "model.onnx",
        "sbom.spdx.json",
    ]
    assert (folder / "model.onnx").read_bytes() == b"housing 5"
    assert json.loads((folder / "sbom.spdx.json").read_text("utf-8")) == PACKAGES
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    subprocess.run(check, cwd=folder, check=True, capture_output=True)
    assert f"{digest}  model.onnx\n" in (folder / "SHA256SUMS").read_text("utf-8")

    commit = git(project.checkout, "rev-parse", "HEAD")
    command = project.asked("gh")[-1]
    paths = " ".join(str(folder / name) for name in names)
    assert command.startswith(f"release create housing-v5 {paths} --repo owner/name")
    assert f"--target {commit} --title Housing, version 5" in command
    assert command.endswith("--latest=false")
    described = project.asked("docker")
    assert described == [
        f"buildx imagetools inspect {IMAGES['api']} --format {{{{json .SBOM}}}}"
    ]


def test_the_text_says_how_to_download_and_verify_it(
    project: Project, tmp_path: Path
) -> None:
    signatures = tmp_path / "bundle.json"
    signatures.write_text("signatures")
    assert project.release(signatures).returncode == 0
    text = project.files("iris-v1.md").read_text("utf-8")
    assert "since 2026-11-21: random forest, rmse 0.4454 (95 % interval 0.42" in text
    assert "on 4,138 rows" in text
    assert (
        "gh release download iris-v1 --repo owner/name --dir iris-v1 && gh attestation"
        " verify iris-v1/model.onnx --repo owner/name\n"
    ) in text


def test_without_signatures_the_digests_are_checked(project: Project) -> None:
    assert project.release().returncode == 0
    assert not (project.files("iris-v1") / "attestation.json").exists()
    text = project.files("iris-v1.md").read_text("utf-8")
    assert "--dir iris-v1 && (cd iris-v1 && sha256sum --check SHA256SUMS)\n" in text


def test_the_files_come_with_their_provenance(project: Project) -> None:
    digest = project.promote("iris", 2)
    assert project.step("prepare").returncode == 0
    file = project.checkout / "build" / "provenance.json"
    definition = json.loads(file.read_text("utf-8"))["buildDefinition"]
    model = {
        "name": "deployment/models/iris/model.onnx",
        "digest": {"sha256": digest},
    }
    assert model in definition["resolvedDependencies"]


def test_a_second_run_releases_nothing(project: Project) -> None:
    assert project.release().returncode == 0
    again = project.release()
    assert again.returncode == 0
    assert again.stdout == "iris-v1 is released already.\n"
    assert "models=\n" in again.stderr
    commands = project.asked("gh")
    assert len([one for one in commands if one.startswith("release create")]) == 1


def test_an_interrupted_release_is_made_again(project: Project) -> None:
    project.put_release("iris-v1", isDraft=True, assets=[])
    assert project.release().returncode == 0
    verbs = [command.split()[1] for command in project.asked("gh")]
    assert verbs == ["view", "view", "delete", "create"]


def test_nothing_is_released_if_latest_was_not_moved(project: Project) -> None:
    done = project.step("prepare", DIGESTS="")
    assert done.returncode == 0
    assert done.stdout == "`latest` was not moved: no model is released.\n"
    assert done.stderr == "models=\n"
    assert project.asked("gh") == []


def test_the_sbom_of_several_platforms_is_that_of_the_usual_one(
    project: Project,
) -> None:
    other = {"SPDX": {"packages": []}}
    project.put_sbom({"linux/amd64": {"SPDX": PACKAGES}, "linux/arm64": other})
    assert project.step("prepare").returncode == 0
    sbom = project.files("iris-v1") / "sbom.spdx.json"
    assert json.loads(sbom.read_text("utf-8")) == PACKAGES


def fault(done: Done) -> str:
    """Return the one sentence with which a step has failed."""
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stdout.splitlines() if "::error::" in line]
    sentence = line.removeprefix("::error::")
    assert f"failure={sentence}\n" in done.stderr
    return sentence


def test_another_model_under_the_same_name_is_refused(project: Project) -> None:
    other = {"name": "model.onnx", "digest": "sha256:" + "0" * 64}
    project.put_release("iris-v1", isDraft=False, assets=[other])
    sentence = fault(project.step("prepare"))
    assert "the release iris-v1 on GitHub holds another model" in sentence
    assert not project.files("iris-v1").exists()


def test_a_model_that_its_manifest_does_not_name_is_refused(project: Project) -> None:
    model = project.checkout / "deployment" / "models" / "iris" / "model.onnx"
    model.write_bytes(b"another")
    commit_all(project.checkout, "fix: a model")
    sentence = fault(project.step("prepare"))
    assert "iris/model.onnx is not the file that manifest.json names" in sentence


@pytest.mark.parametrize("described", [None, {}, {"linux/amd64": {}}])
def test_an_image_without_an_sbom_is_refused(project: Project, described: Any) -> None:
    project.put_sbom(described)
    sentence = fault(project.step("prepare"))
    assert sentence.startswith(f"{IMAGES['api']} has no SBOM: push it with")


def test_a_refusal_of_github_is_one_sentence(project: Project) -> None:
    sentence = fault(project.step("prepare", GH_SAYS="HTTP 403:\n no access"))
    assert sentence == (
        "the release iris-v1 cannot be looked up (HTTP 403: no access): run the failed"
        " jobs again."
    )


def test_without_the_program_gh_one_sentence_says_so(project: Project) -> None:
    (project.programs / "gh").unlink()
    git_only = project.programs / "git"
    program = subprocess.run(
        ["sh", "-c", "command -v git"], capture_output=True, text=True, check=True
    )
    git_only.symlink_to(program.stdout.strip())
    sentence = fault(project.step("prepare", PATH=str(project.programs)))
    assert sentence.startswith("the program `gh` is not here")


def test_outside_of_a_workflow_it_says_what_is_missing(project: Project) -> None:
    done = project.step("prepare", GITHUB_REPOSITORY="")
    assert done.returncode == 2
    assert "failure=GITHUB_REPOSITORY is not set" in done.stderr
