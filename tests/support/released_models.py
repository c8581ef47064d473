"""A repository with small models in service, and the release that declares them."""

from pathlib import Path

from core.file_names import RELEASE
from core.files import write_atomic
from core.git import git
from pipeline.release import content
from tests.conftest import commit_all

IMAGES = {
    "api": "ghcr.io/owner/name/mlops-api@sha256:" + "a" * 64,
    "mlflow": "ghcr.io/owner/name/mlops-mlflow@sha256:" + "b" * 64,
    "pipeline": "ghcr.io/owner/name/mlops-pipeline@sha256:" + "c" * 64,
}


def commit_model(root: Path, task: str, version: int) -> str:
    """Commit a model of a task, whose bytes name the version; return the commit."""
    folder = root / "deployment" / "models" / task
    write_atomic(folder / "model.onnx", f"{task} {version}")
    write_atomic(folder / "manifest.json", f'{{"version": {version}}}\n')
    return commit_all(root, f"{task} v{version}")


def release_of(root: Path, commit: str) -> str:
    """Return the text of the release of a commit."""
    return content.render(commit, IMAGES, content.models_at(root, commit))


def write_release(root: Path, commit: str) -> None:
    """Write the release of a commit into a checkout."""
    write_atomic(root / RELEASE, release_of(root, commit))


def repository(root: Path) -> Path:
    """Make a repository in which version 1 of iris is in service, on the branch main."""
    root.mkdir(parents=True)
    git(root, "init", "--quiet", "--initial-branch=main")
    (root / "params.yaml").write_text("seed: 42\n")
    (root / ".gitignore").write_text("build/\n")
    commit_model(root, "iris", 1)
    return root
