"""Writes MLflow's file store: a folder an experiment, in it a folder a run, a file a
value.

It is what MLflow up to 3.12 calls `./mlruns`. The layout is that of MLflow's own
`mlflow/store/tracking/file_store.py` and `mlflow/store/model_registry/file_store.py`.
"""

import hashlib
import math
import posixpath
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

from core.errors import PipelineError
from history import layout, names
from history.mlflow_rows import PARENT_TAG, stored
from history.portable_paths import MODEL_ADDRESS, MODEL_FILE
from history.runfile import LoggedModel, ModelMetric, Point, Run

RUN_STATUS = {"RUNNING": 1, "SCHEDULED": 2, "FINISHED": 3, "FAILED": 4, "KILLED": 5}
MODEL_STATUS = {"UNSPECIFIED": 0, "PENDING": 1, "READY": 2, "FAILED": 3}
LOCAL_SOURCE = 4
DUMPER = getattr(
    yaml, "CSafeDumper", yaml.SafeDumper
)  # a tenth of the time, where it is there
KEY = re.compile(
    r"[/\w.\- :]+"
)  # what MLflow allows in the name of a param, metric or tag
META = "meta.yaml"
Json = dict[str, Any]


class UnwritableError(PipelineError):
    """A file store cannot hold a run; the text goes on from "the run X"."""


class FileStore:
    """A file store that is being written to `folder`; its addresses name `place`.

    That is where it will lie: the addresses of artifacts in a file store are absolute.
    """

    def __init__(self, folder: Path, place: Path) -> None:
        self._folder, self._place = folder, place

    def add_experiment(self, number: int, name: str, created: int) -> None:
        """Write an experiment; `created` is in milliseconds since the epoch."""
        content = {
            "experiment_id": str(number),
            "name": name,
            "artifact_location": self._address(str(number)),
            "lifecycle_stage": "active",
            "creation_time": created,
            "last_update_time": created,
        }
        _write_meta(self._folder / str(number), content)

    def add_run(self, run: Run, number: int, source: Path) -> None:
        """Write a run of an experiment, its models and files; `source` is its folder.

        Raises:
            UnwritableError: it has a name or value that a file store cannot hold.
                Nothing of the run stays.
        """
        experiment = self._folder / str(number)
        folders = [experiment / run.run_id]
        folders += [experiment / "models" / model.model_id for model in run.models]
        try:
            self._write_run(run, number, folders[0])
            _copy(source / layout.ARTIFACTS, folders[0] / "artifacts")
            for model, folder in zip(run.models, folders[1:]):
                self._write_model(model, run, number, folder)
                _copy(source / layout.MODELS / model.model_id, folder / "artifacts")
                self._readdress(folder / "artifacts")
        except UnwritableError:
            for folder in folders:
                shutil.rmtree(folder, ignore_errors=True)
            raise

    def _write_run(self, run: Run, number: int, folder: Path) -> None:
        content = {
            **{"run_id": run.run_id, "run_uuid": run.run_id, "run_name": run.name},
            **{
                "experiment_id": str(number),
                "user_id": run.user,
                "status": RUN_STATUS[run.status],
            },
            **{"start_time": run.started, "end_time": run.ended, "deleted_time": None},
            **{"lifecycle_stage": run.lifecycle_stage},
            **{"artifact_uri": self._address(str(number), run.run_id, "artifacts")},
            **{"source_type": LOCAL_SOURCE, "source_name": "", "source_version": ""},
            **{"entry_point_name": "", "tags": []},
        }
        _write_meta(folder, content)
        for part in ("metrics", "params", "artifacts"):
            (folder / part).mkdir()
        tags = run.tags | ({PARENT_TAG: run.parent} if run.parent else {})
        lines = {key: _metric_lines(run, points) for key, points in run.metrics.items()}
        _write_values(folder, {"params": run.params, "tags": tags, "metrics": lines})
        self._write_links(run, folder)

    def _write_links(self, run: Run, folder: Path) -> None:
        """Write what went into a run, data sets and models, and the models that came
        out.
        """
        for dataset in run.datasets:
            content = dataset.model_dump(by_alias=True)
            tags = content.pop("tags")
            dataset_id = _md5(dataset.name, dataset.digest)
            kept = folder.parent / "datasets" / dataset_id
            if not kept.exists():  # as in MLflow, the first of a name and digest counts
                _write_meta(kept, content)
            _write_link(
                folder / "inputs", run, ("DATASET", dataset_id, "RUN"), {"tags": tags}
            )
        for model_id in run.model_inputs:
            _write_link(
                folder / "inputs", run, ("MODEL", model_id, "RUN"), {"tags": {}}
            )
        for output in run.model_outputs:
            link = ("RUN_OUTPUT", output.model_id, "MODEL_OUTPUT")
            more = {"tags": {}, "step": output.step}
            _write_link(folder / "outputs", run, link, more, output.model_id)

    def _write_model(
        self, model: LoggedModel, run: Run, number: int, folder: Path
    ) -> None:
        content = {
            **{
                "model_id": model.model_id,
                "name": model.name,
                "experiment_id": str(number),
            },
            **{"model_type": model.type, "source_run_id": run.run_id},
            **{
                "status": MODEL_STATUS[model.status],
                "status_message": model.status_message,
            },
            **{
                "creation_timestamp": model.created,
                "last_updated_timestamp": model.updated,
            },
            **{"lifecycle_stage": "active"},
            "artifact_location": self._address(
                str(number), "models", model.model_id, "artifacts"
            ),
        }
        _write_meta(folder, content)
        for part in ("metrics", "params"):
            (folder / part).mkdir()
        lines: dict[str, str] = {}
        for metric in model.metrics:
            lines[metric.key] = lines.get(metric.key, "") + _model_metric_line(metric)
        _write_values(
            folder, {"params": model.params, "tags": model.tags, "metrics": lines}
        )

    def add_registered_model(self, content: Json, aliases: dict[str, int]) -> None:
        """Write a registered model with its aliases, and none of its versions."""
        folder = self._folder / "models" / content["name"]
        _write_meta(folder, content)
        _write_values(
            folder, {"aliases": {key: str(to) for key, to in aliases.items()}}
        )

    def add_version(self, content: Json, tags: dict[str, str], *files: str) -> None:
        """Write a version of a registered model; `files` is where its files lie in the
        store.
        """
        folder = (
            self._folder / "models" / content["name"] / f"version-{content['version']}"
        )
        _write_meta(folder, content | {"storage_location": self._address(*files)})
        _write_values(folder, {"tags": tags})

    def _address(self, *below: str) -> str:
        return self._place.joinpath(*below).as_uri()

    def _readdress(self, folder: Path) -> None:
        """Put a model's address in this store where its file has the one in the
        history.
        """
        for path in folder.rglob(MODEL_FILE):
            place = self._place / path.parent.relative_to(self._folder)
            text = path.read_bytes().decode(errors="surrogateescape")
            line = f"artifact_path: {place.as_uri()}"
            changed = MODEL_ADDRESS.sub(lambda _: line, text, count=1)
            path.write_bytes(changed.encode(errors="surrogateescape"))


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)


def _md5(*texts: str) -> str:
    """Return the id that MLflow derives from texts."""
    return hashlib.md5("".join(texts).encode(), usedforsecurity=False).hexdigest()


def _write_meta(folder: Path, content: Json) -> None:
    folder.mkdir(parents=True)
    text = yaml.dump(content, Dumper=DUMPER, allow_unicode=True)
    (folder / META).write_bytes(text.encode())


def _write_link(
    folder: Path,
    run: Run,
    link: tuple[str, str, str],
    more: Json,
    name: str | None = None,
) -> None:
    """Write what links a run with a data set or model, under the name that MLflow gives
    it.
    """
    source, identity, destination = link
    content = {
        **{"source_type": source, "source_id": identity},
        # MLflow writes the same id again, and for an output reads it from here.
        **{"destination_type": destination, "destination_id": identity},
    }
    _write_meta(folder / (name or _md5(identity, run.run_id)), content | more)


def _write_values(folder: Path, parts: dict[str, dict[str, str]]) -> None:
    """Write values to files that are called as they are, below a folder a part."""
    for part, values in parts.items():
        for key, text in values.items():
            path = folder / part / key
            if reason := _fault_of(key):
                raise UnwritableError(f"has the {part[:-1]} {key!r}, {reason}")
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as stream:
                    stream.write(text.encode())
            except (FileExistsError, NotADirectoryError) as error:
                raise UnwritableError(
                    f"has the {part[:-1]} {key!r} beside another whose file would be"
                    " the same"
                ) from error


def _fault_of(key: str) -> str | None:
    """Return why MLflow would not take a name, or why no file can have it; None if all
    is well.
    """
    normal = posixpath.normpath(key)
    if (
        not KEY.fullmatch(key)
        or normal != key
        or normal.startswith(("..", "/"))
        or normal == "."
    ):
        return "which MLflow does not allow"
    if any(len(part.encode()) > names.LONGEST_PART for part in key.split("/")):
        return "which is too long for the name of a file"
    return names.fault_of(key) if sys.platform == "win32" else None


def _metric_lines(run: Run, points: list[Point]) -> str:
    """Return a metric's history; of equal steps and times MLflow takes the first NaN or
    number.
    """
    if any(math.isnan(value) for value, _, _ in points):
        latest = max(points, key=lambda point: (point[2], point[1], stored(point[0])))
        points = sorted(points, key=lambda point: point is not latest)
    return "".join(
        f"{run.started + time} {value!r} {step}\n" for value, time, step in points
    )


def _model_metric_line(metric: ModelMetric) -> str:
    fields = [metric.timestamp, repr(metric.value), metric.step, metric.run_id]
    if metric.dataset_name is not None and metric.dataset_digest is not None:
        fields += [metric.dataset_name, metric.dataset_digest]
    line = " ".join(map(str, fields))
    if metric.run_id is None or len(line.split()) != len(fields):
        raise UnwritableError(
            f"has a model with the metric {metric.key!r} of no run, or of a data set"
            " whose name has a blank"
        )
    return f"{line}\n"
