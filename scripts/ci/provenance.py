"""Writes where the images come from, for signing: `python3 -m scripts.ci.provenance`.

The commit that is built is the pipeline's own, a child of the one whose push started
the workflow: GitHub's own provenance names the pushed one, whose tree does not hold the
model that is inside. So the predicate (https://slsa.dev/provenance/v1) is written here,
of what is checked out.

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


def predicate(root: Path) -> dict[str, Any]:
    """Return the predicate for images that are built of what is checked out.

    Raises:
        MissingVariable: this is no step of a workflow.
    """
    repository = f"{needed('GITHUB_SERVER_URL')}/{needed('GITHUB_REPOSITORY')}"
    pushed, published = needed("GITHUB_SHA"), git(root, "rev-parse", "HEAD")
    workflow = needed("GITHUB_WORKFLOW_REF").partition("@")[0]
    path = workflow.removeprefix(f"{needed('GITHUB_REPOSITORY')}/")
    source = {"uri": f"git+{repository}", "digest": {"gitCommit": published}}
    models = [
        {"name": path.relative_to(root).as_posix(), "digest": {"sha256": _sha256(path)}}
        for path in sorted(root.glob("deployment/models/*/model.onnx"))
    ]
    return {
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {
                "workflow": {
                    "ref": needed("GITHUB_REF"),
                    "repository": repository,
                    "path": path,
                }
            },
            "internalParameters": {
                "github": {
                    "event_name": os.environ.get("GITHUB_EVENT_NAME", ""),
                    "triggering_commit": pushed,
                    "trained_commit": _trained(root),
                }
            },
            "resolvedDependencies": [source, *models],
        },
        "runDetails": {
            "builder": {"id": f"{repository}/{path}@{needed('GITHUB_REF')}"},
            "metadata": {
                "invocationId": (
                    f"{run_url()}/attempts/{os.environ.get('GITHUB_RUN_ATTEMPT', '1')}"
                )
            },
        },
    }


def _trained(root: Path) -> str:
    key = f"--format=%(trailers:key={own_commits.TRAILER},valueonly)"
    return git(root, "log", "-1", key).strip()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> int:
    """Write the predicate, and put out name and digest of each image."""
    try:
        images = json.loads(needed("IMAGES"))
        PREDICATE.parent.mkdir(exist_ok=True)
        PREDICATE.write_text(
            json.dumps(predicate(Path().resolve()), indent=1), encoding="utf-8"
        )
    except MissingVariable as error:
        print(f"error: {error}", file=sys.stderr)
        put(failure=str(error))
        return 2
    for short, image in images.items():
        name, at, digest = image.rpartition("@")
        if at:
            put(**{f"{short}-name": name, f"{short}-digest": digest})
    return 0


if __name__ == "__main__":
    sys.exit(console.run(main))
