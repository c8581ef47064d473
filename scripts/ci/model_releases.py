"""Release the models in service on GitHub: `python3 -m scripts.ci.model_releases`.

    python3 -m scripts.ci.model_releases prepare    # write the files of new releases
    python3 -m scripts.ci.model_releases create     # create the releases from them

A workflow signs the files between the two. A version that was released stays as it is,
and a release that was interrupted is made again. It needs the standard library alone,
Docker for the SBOM, and GitHub's program `gh`.

From the environment: GITHUB_REPOSITORY, GITHUB_TOKEN (for gh); for `prepare` DIGESTS
(the addresses of the tested images with their digests; empty if `latest` stayed where
it is), for `create` ATTESTATION (the file with the signatures, empty without any).
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from core.errors import PipelineError
from core.file_names import MODEL
from core.git import git
from pipeline.release import content
from scripts import console
from scripts.ci import github_releases, model_files, provenance
from scripts.ci.api import MissingVariable, needed
from scripts.ci.model_files import ReleasedModel
from scripts.ci.outputs import put
from scripts.images import registry
from scripts.images.build import short
from scripts.stack.settings import StackError

FOLDER = Path("build/model-releases")
API_IMAGE = "api"


def prepare(root: Path, images: str) -> list[str]:
    """Write the files of each model that has no release yet, and their provenance.

    Args:
        root: the checkout of the commit that was released.
        images: the addresses of its images, separated by spaces.

    Returns:
        The names of the releases to create.

    Raises:
        PipelineError: a release holds another model, or a model is not complete.
        StackError: the SBOM cannot be read.
    """
    api_image = _api_image(images)
    if not api_image:
        print("`latest` was not moved: no model is released.")
        return []
    new = [model for model in _models(root) if not _is_released(model)]
    if not new:
        return []
    shutil.rmtree(root / FOLDER, ignore_errors=True)
    variables = dict(os.environ)
    sbom = registry.sbom(api_image, variables)
    for model in new:
        folder = root / FOLDER / model.tag
        model_files.write(root, model, sbom, folder)
    provenance.write(root)
    return [model.tag for model in new]


def create(root: Path, attestation: str) -> None:
    """Create the releases whose files `prepare` has written.

    Args:
        attestation: the path of the file with the signatures; empty if there is none.

    Raises:
        PipelineError: GitHub refuses or does not answer.
    """
    repository = needed("GITHUB_REPOSITORY")
    commit = git(root, "rev-parse", "HEAD")
    for model in _models(root):
        folder = root / FOLDER / model.tag
        if not folder.is_dir():
            continue
        if attestation:
            shutil.copyfile(attestation, folder / model_files.ATTESTATION)
        interrupted = github_releases.find(repository, model.tag)
        if interrupted and interrupted["isDraft"]:
            github_releases.delete(repository, model.tag)
        text = model_files.text(model, folder, repository)
        notes = root / FOLDER / f"{model.tag}.md"
        notes.write_text(text, encoding="utf-8")
        manifest = model_files.read_manifest(folder)
        title = model.title(manifest)
        files = model_files.files(folder)
        github_releases.create(repository, model.tag, commit, title, notes, files)
        print(f"released {model.tag}: {title}")


def _api_image(addresses: str) -> str:
    """Return the address of the API's image; empty if it is not among them."""
    for address in addresses.split():
        name, _, _ = address.partition("@")
        if short(name) == API_IMAGE:
            return address
    return ""


def _models(root: Path) -> list[ReleasedModel]:
    """Return the models in service at the commit that is checked out."""
    entries = content.models_at(root, "HEAD")
    models = []
    for task, entry in sorted(entries.items()):
        models.append(ReleasedModel(task, **entry))
    return models


def _is_released(model: ReleasedModel) -> bool:
    """Return whether a complete release holds a model.

    Raises:
        PipelineError: it holds another one, or GitHub does not answer.
    """
    release = github_releases.find(needed("GITHUB_REPOSITORY"), model.tag)
    if release is None or release["isDraft"]:
        return False
    expected = f"sha256:{model.sha256}"
    for asset in release["assets"]:
        # GitHub has computed no digest of files that are older than this feature.
        digest = asset.get("digest") or expected
        if asset["name"] == MODEL and digest != expected:
            raise PipelineError(
                f"the release {model.tag} on GitHub holds another model than this"
                " commit: the history was rewritten; delete the release and its tag,"
                " or promote the model once more."
            )
    print(f"{model.tag} is released already.")
    return True


def main() -> int:
    """Prepare or create the releases; `prepare` writes the output `models`."""
    parser = argparse.ArgumentParser(
        prog="model_releases",
        description=console.first_line(__doc__),
        allow_abbrev=False,
    )
    parser.add_argument("step", choices=["prepare", "create"])
    step = parser.parse_args().step
    root = Path().resolve()
    try:
        if step == "prepare":
            names = prepare(root, os.environ.get("DIGESTS", ""))
            put(models=" ".join(names))
        else:
            create(root, os.environ.get("ATTESTATION", ""))
    except (PipelineError, StackError, MissingVariable) as error:
        print(f"::error::{error}")
        put(failure=str(error))
        return 2 if isinstance(error, MissingVariable) else 1
    return 0


if __name__ == "__main__":
    sys.exit(console.run(main))
