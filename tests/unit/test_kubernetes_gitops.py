"""The examples for Argo CD and Flux: they apply the overlay of the documentation."""

from pathlib import Path

import pytest

from core.git import git, succeeds
from tests.paths import ROOT
from tests.support.compose import read_yaml
from tests.support.kubernetes import BASE, FOLDER, Resource, kustomization, read_all

EXAMPLES = FOLDER / "gitops"
PAGE = (ROOT / "docs" / "kubernetes.md").read_text("utf-8")
URL = "https://github.com/OWNER/REPOSITORY.git"
OVERLAY = "deployment/kubernetes/overlays/own"


def flux() -> tuple[Resource, Resource]:
    """Return the source and what is applied from it."""
    text = (EXAMPLES / "flux.yaml").read_text("utf-8")
    source, applied = read_all(text)
    return source, applied


def test_argo_cd_applies_the_overlay_of_the_documentation() -> None:
    specification = read_yaml(EXAMPLES / "argo-cd.yaml")["spec"]
    source = specification["source"]
    assert source["repoURL"] == URL
    assert source["path"] == OVERLAY
    assert specification["destination"]["namespace"] == "mlops"
    automated = specification["syncPolicy"]["automated"]
    assert automated == {"prune": True, "selfHeal": True}


def test_flux_applies_the_overlay_of_the_documentation() -> None:
    source, applied = flux()
    assert source["spec"]["url"] == URL
    assert applied["spec"]["path"] == f"./{OVERLAY}"
    assert applied["spec"]["prune"] is True
    assert applied["spec"]["sourceRef"] == {
        "kind": source["kind"],
        "name": source["metadata"]["name"],
    }


def test_the_documentation_names_the_overlay_and_each_example() -> None:
    assert f"# {OVERLAY}/kustomization.yaml" in PAGE
    for path in EXAMPLES.iterdir():
        assert path.relative_to(ROOT).as_posix() in PAGE


@pytest.fixture
def fetched(tmp_path: Path) -> Path:
    """A repository with Flux' rules for what it leaves out."""
    git(tmp_path, "init", "--quiet")
    rules = flux()[0]["spec"]["ignore"]
    (tmp_path / ".gitignore").write_text(rules, "utf-8")
    return tmp_path


def test_flux_fetches_every_file_that_the_overlay_is_made_of(fetched: Path) -> None:
    folders = [FOLDER]
    for name in kustomization(BASE)["resources"]:
        if name.startswith("../"):
            folders.append((BASE / name).resolve())
    for folder in folders:
        for path in folder.rglob("*"):
            name = path.relative_to(ROOT).as_posix()
            assert not succeeds(fetched, "check-ignore", "--quiet", name), name


def test_flux_leaves_out_the_history_and_the_models(fetched: Path) -> None:
    for name in ("mlruns/iris", "deployment/models/iris/model.onnx", "app/main.py"):
        assert succeeds(fetched, "check-ignore", "--quiet", name)
