"""The newest push of each task, from which invented ones are made."""

import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import PipelineError
from core.files import sha256_bytes
from core.git_objects import Tree, read_blobs
from history import layout
from history.committed import CommittedHistory
from history.location import Location
from history.runfile import RunSummary
from pipeline.report.day_summaries import COMMIT, is_push

PLOT = ".png"
NEW_PLOTS = 0.2  # the share of a push's plots that differ from the last one's
NEW_DECIMALS = 0.3  # the share of its long decimals
_DECIMAL = r"\d\.\d{8,}"
_TIME = r'"(?:created|ended|started|updated)": \d+'
_TOKEN = re.compile(rf"\b[0-9a-f]{{32,64}}\b|{_DECIMAL}|{_TIME}")


@dataclass(frozen=True)
class File:
    """An artifact: its blob, its size in bytes, and its SHA-256."""

    blob: str
    size: int
    sha256: str


@dataclass(frozen=True)
class TemplateRun:
    """A run of a push, as its `run.json` has it.

    Attributes:
        started: in milliseconds since the epoch.
        files: the artifacts, by their paths below the run's folder.
        identifiers: what a copy has others of: its run ID, commit and models.
    """

    run_id: str
    experiment: str
    started: int
    text: str
    files: dict[str, File]
    identifiers: set[str]

    def copy(
        self, draw: random.Random, names: Mapping[str, str], later: int
    ) -> tuple[str, dict[str, bytes]]:
        """Return the text of a copy, and the bytes of those files that are new.

        Args:
            names: the new identifier for each old one.
            later: by how many milliseconds the copy is later.
        """
        new_names = dict(names)
        files = {}
        for path, file in self.files.items():
            if path.endswith(PLOT) and draw.random() < NEW_PLOTS:
                files[path] = draw.randbytes(file.size)
                new_names[file.sha256] = sha256_bytes(files[path])

        def replace(match: re.Match[str]) -> str:
            token = match[0]
            if token.startswith('"'):
                key, _, time = token.partition(": ")
                return f"{key}: {int(time) + later}"
            if "." in token:
                is_new = draw.random() < NEW_DECIMALS
                if is_new:
                    return str(_near(draw, float(token)))
                return token
            return new_names.get(token, token)

        return _TOKEN.sub(replace, self.text), files


@dataclass(frozen=True)
class Copy:
    """A copy of a run.

    Attributes:
        place: its folder below `mlruns/`.
        text: its `run.json`.
        new_files: the bytes of those files that differ from the template's.
    """

    template: TemplateRun
    place: str
    text: str
    new_files: dict[str, bytes]


@dataclass(frozen=True)
class Template:
    """The runs that invented pushes are copies of.

    Attributes:
        history_ms: the time from the oldest run of the history to the newest of these.
    """

    runs: list[TemplateRun]
    history_ms: int


def copy_push(
    runs: list[TemplateRun], draw: random.Random, later: int
) -> Iterator[Copy]:
    """Yield a copy of each run of a push, with other identifiers.

    Args:
        later: by how many milliseconds the copies are later.
    """
    names = {}
    for run in runs:
        for name in sorted(run.identifiers):
            half = len(name) // 2
            names[name] = draw.randbytes(half).hex()
    for run in runs:
        text, new_files = run.copy(draw, names, later)
        experiment = layout.experiment_folder(run.experiment)
        day = layout.time(run.started + later).date().isoformat()
        place = f"{experiment}/{day}/{names[run.run_id]}"
        yield Copy(run, place, text, new_files)


def _near(draw: random.Random, value: float) -> float:
    return round(value * draw.uniform(0.999, 1.001), 12)


def newest_pushes(root: Path, commit: str, folder: Path) -> Template:
    """Return the runs of the newest push of each experiment.

    Args:
        folder: an empty one, to work in.

    Raises:
        PipelineError: there is no push.
    """
    tree = Tree(root, commit)
    location = Location(folder / "mlruns")
    newest: dict[str, RunSummary] = {}
    with CommittedHistory(location, tree) as history:
        runs = list(history.summaries())
        for run in runs:
            earlier = newest.get(run.experiment)
            if not is_push(run):
                continue
            if earlier is None or run.started > earlier.started:
                newest[run.experiment] = run
        templates = []
        for run in runs:
            parent = newest.get(run.experiment)
            if parent and parent.run_id in (run.run_id, run.parent):
                place = location.relative(history.folder(run.run_id))
                templates.append(_read(tree, place, run))
    if not templates:
        raise PipelineError(
            "the history has no push to invent others from: train and publish first."
        )
    oldest = min(run.started for run in runs)
    latest = max(template.started for template in templates)
    return Template(templates, latest - oldest)


def _read(tree: Tree, place: str, run: RunSummary) -> TemplateRun:
    blobs = dict(tree.files(place))
    run_file = f"{place}/{layout.RUN_FILE}"
    (content,) = read_blobs(tree.root, [blobs[run_file]])
    listed = json.loads(content)
    files = {}
    for artifact in listed["artifacts"]:
        path = f"{layout.ARTIFACTS}/{artifact['path']}"
        blob = blobs[f"{place}/{path}"]
        files[path] = File(blob, artifact["size"], artifact["sha256"])
    identifiers = {run.run_id, run.tags.get(COMMIT, run.run_id)}
    for model in run.models:
        identifiers.add(model.model_id.removeprefix("m-"))
    return TemplateRun(
        run_id=run.run_id,
        experiment=run.experiment,
        started=run.started,
        text=content.decode(),
        files=files,
        identifiers=identifiers,
    )
