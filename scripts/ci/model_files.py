"""The files of a model's release on GitHub, and the text that describes it.

Standard library only: the job that makes the release installs no package.
"""

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import PipelineError
from core.file_names import CARD, MANIFEST, MODEL, MODELS
from core.files import sha256_file

SBOM = "sbom.spdx.json"
ATTESTATION = "attestation.json"
SUMS = "SHA256SUMS"
# GitHub shows each line of a release's text as a line of its own.
TEXT = """\
{description}

Champion of the task `{task}` since {since}: {algorithm}, {metric} {value:.4g} \
(95 % interval {low:.4g} to {high:.4g}) on {rows:,} rows that were held out.
Trained from commit {trained}, run `{run_id}`.

Download it, and check {what}:
```bash
{command}
```
"""


@dataclass(frozen=True)
class ReleasedModel:
    """A model in service, as its release on GitHub has it.

    Attributes:
        tag: the name of the release and of its tag, such as `housing-v5`.
        sha256: SHA-256 of the ONNX file.
    """

    task: str
    version: int
    sha256: str

    @property
    def tag(self) -> str:
        return f"{self.task}-v{self.version}"

    def title(self, manifest: dict[str, Any]) -> str:
        """Return the release's title, such as `California housing, version 5`."""
        return f"{manifest['title']}, version {self.version}"


def write(root: Path, model: ReleasedModel, sbom: str, folder: Path) -> None:
    """Write the files of a model's release, without the attestation.

    Args:
        root: the checkout with the model in service.
        sbom: the SBOM of the API's image, which runs the model: SPDX as JSON.
        folder: where to write; it must not exist.

    Raises:
        PipelineError: the model's file is not the one that its manifest names.
    """
    source = root / MODELS / model.task
    folder.mkdir(parents=True)
    for name in (MODEL, MANIFEST, CARD):
        shutil.copyfile(source / name, folder / name)
    promised = read_manifest(folder)["sha256"]
    if not model.sha256 == promised == sha256_file(folder / MODEL):
        raise PipelineError(
            f"{MODELS}/{model.task}/{MODEL} is not the file that {MANIFEST} names: run"
            " `pipeline history verify`."
        )
    (folder / SBOM).write_text(sbom, encoding="utf-8")
    (folder / SUMS).write_text(sums(folder), encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest in a folder."""
    text = (folder / MANIFEST).read_text("utf-8")
    manifest: dict[str, Any] = json.loads(text)
    return manifest


def sums(folder: Path) -> str:
    """Return the SHA-256 of every file of a folder, as `sha256sum --check` reads them."""
    lines = []
    for path in files(folder):
        digest = sha256_file(path)
        lines.append(f"{digest}  {path.name}\n")
    return "".join(lines)


def files(folder: Path) -> list[Path]:
    """Return the files of a folder by name."""
    return sorted(folder.iterdir())


def text(model: ReleasedModel, folder: Path, repository: str) -> str:
    """Return the text of a release, Markdown."""
    manifest = read_manifest(folder)
    metric = manifest["metric"]["name"]
    holdout = manifest["holdout"]
    algorithm = manifest["algorithm"].replace("_", " ")
    promoted = datetime.fromtimestamp(manifest["promoted"] / 1000, UTC)
    is_signed = (folder / ATTESTATION).is_file()
    return TEXT.format(
        description=manifest["description"],
        task=model.task,
        since=promoted.date().isoformat(),
        algorithm=algorithm,
        metric=metric,
        rows=holdout["rows"],
        trained=manifest["commit"],
        run_id=manifest["run_id"],
        what="who built it" if is_signed else "its digests",
        command=download(model.tag, repository, is_signed),
        **holdout["metrics"][metric],
    )


def download(tag: str, repository: str, is_signed: bool) -> str:
    """Return the command that downloads a release and verifies it."""
    fetch = f"gh release download {tag} --repo {repository} --dir {tag}"
    if is_signed:
        return f"{fetch} && gh attestation verify {tag}/{MODEL} --repo {repository}"
    return f"{fetch} && (cd {tag} && sha256sum --check {SUMS})"
