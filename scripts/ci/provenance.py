"""Write the provenance of the images, for signing: `python3 -m scripts.ci.provenance`.

The commit that is built is the pipeline's own, a child of the one whose push started
the workflow: GitHub's own provenance names the pushed one, whose tree does not hold the
model in the images. So the predicate (https://slsa.dev/provenance/v1) is written here,
from what is checked out.

From the environment: IMAGES (a JSON object, an address with its digest by short name),
and what GitHub sets in every step. Outputs `<short name>-name` and `<short
name>-digest` of each.
"""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from core.git import git
from pipeline.workflow import run_url
from scripts import console
from scripts.ci import own_commits
from scripts.ci.api import MissingVariable, needed
from scripts.ci.outputs import put

PREDICATE = Path("build/provenance.json")


def write(root: Path) -> None:
    """Write the predicate for what is built from the checkout.

    Raises:
        MissingVariable: this is not a step of a workflow.
    """
    text = json.dumps(predicate(root), indent=1)
    file = root / PREDICATE
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")


def predicate(root: Path) -> dict[str, Any]:
    """Return the predicate for what is built from the checkout.

    Raises:
        MissingVariable: this is not a step of a workflow.
    """
    name = needed("GITHUB_REPOSITORY")
    repository = f"{needed('GITHUB_SERVER_URL')}/{name}"
    workflow = needed("GITHUB_WORKFLOW_REF").partition("@")[0]
    path = workflow.removeprefix(f"{name}/")
    ref = needed("GITHUB_REF")
    attempt = os.environ.get("GITHUB_RUN_ATTEMPT", "1")
    return {
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {
                "workflow": {"ref": ref, "repository": repository, "path": path}
            },
            "internalParameters": {
                "github": {
                    "event_name": os.environ.get("GITHUB_EVENT_NAME", ""),
                    "triggering_commit": needed("GITHUB_SHA"),
                    "trained_commit": _trained(root),
                }
            },
            "resolvedDependencies": dependencies(root, repository),
        },
        "runDetails": {
            "builder": {"id": f"{repository}/{path}@{ref}"},
            "metadata": {"invocationId": f"{run_url()}/attempts/{attempt}"},
        },
    }


def dependencies(root: Path, repository: str) -> list[dict[str, Any]]:
    """Return what the images are built from: the commit, and the models in it."""
    source = {
        "uri": f"git+{repository}",
        "digest": {"gitCommit": git(root, "rev-parse", "HEAD")},
    }
    resolved: list[dict[str, Any]] = [source]
    for model in sorted(root.glob("deployment/models/*/model.onnx")):
        name = model.relative_to(root).as_posix()
        digest = hashlib.sha256(model.read_bytes()).hexdigest()
        resolved.append({"name": name, "digest": {"sha256": digest}})
    return resolved


def _trained(root: Path) -> str:
    key = f"--format=%(trailers:key={own_commits.TRAILER},valueonly)"
    return git(root, "log", "-1", key).strip()


def main() -> int:
    """Write the predicate, and the name and digest of each image as outputs."""
    try:
        images = json.loads(needed("IMAGES"))
        write(Path().resolve())
    except MissingVariable as error:
        print(f"error: {error}", file=sys.stderr)
        put(failure=str(error))
        return 2
    for short, image in images.items():
        name, at, digest = image.rpartition("@")
        if at:
            outputs = {f"{short}-name": name, f"{short}-digest": digest}
            put(**outputs)
    return 0


if __name__ == "__main__":
    sys.exit(console.run(main))
