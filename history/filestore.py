"""Writes MLflow's file store: a folder per experiment and run, a file per value.

It is what MLflow up to 3.12 calls `./mlruns`. The layout is that of MLflow's own
`mlflow/store/tracking/file_store.py` and `mlflow/store/model_registry/file_store.py`.
"""

import shutil
from pathlib import Path

from history import layout
from history.filestore_files import (
    Json,
    UnwritableError,
    metric_lines,
    mlflow_id,
    model_metric_line,
    write_meta,
    write_values,
)
from history.mlflow_rows import PARENT_TAG
from history.portable_paths import MODEL_ADDRESS, MODEL_FILE
from history.runfile import LoggedModel, Run

RUN_STATUS = {
    "RUNNING": 1,
    "SCHEDULED": 2,
    "FINISHED": 3,
    "FAILED": 4,
    "KILLED": 5,
}
MODEL_STATUS = {
    "UNSPECIFIED": 0,
    "PENDING": 1,
    "READY": 2,
    "FAILED": 3,
}
LOCAL_SOURCE = 4


class FileStore:
    """A file store that is being written.

    Args:
        folder: where it is written.
        place: where it will lie; the addresses of artifacts are absolute and name it.
    """

    def __init__(self, folder: Path, place: Path) -> None:
        self._folder = folder
        self._place = place

    def add_experiment(
        self,
        number: int,
        name: str,
        created: int,
    ) -> None:
        """Write an experiment; `created` is in milliseconds since the epoch."""
        content = {
            "experiment_id": str(number),
            "name": name,
            "artifact_location": self._address(str(number)),
            "lifecycle_stage": "active",
            "creation_time": created,
            "last_update_time": created,
        }
        write_meta(self._folder / str(number), content)

    def add_run(
        self,
        run: Run,
        number: int,
        source: Path,
    ) -> None:
        """Write a run of an experiment, its models and files; `source` is its folder.

        Raises:
            UnwritableError: it has a name or value that a file store cannot hold.
                Nothing of the run stays.
        """
        experiment = self._folder / str(number)
        folder = experiment / run.run_id
        models = {
            model.model_id: experiment / "models" / model.model_id
            for model in run.models
        }
        try:
            self._write_run(run, number, folder)
            _copy(source / layout.ARTIFACTS, folder / "artifacts")
            for model in run.models:
                files = models[model.model_id] / "artifacts"
                self._write_model(model, run, number, files.parent)
                _copy(source / layout.MODELS / model.model_id, files)
                self._readdress(files)
        except UnwritableError:
            for written in (folder, *models.values()):
                shutil.rmtree(written, ignore_errors=True)
            raise

    def _write_run(
        self,
        run: Run,
        number: int,
        folder: Path,
    ) -> None:
        content = {
            "run_id": run.run_id,
            "run_uuid": run.run_id,
            "run_name": run.name,
            "experiment_id": str(number),
            "user_id": run.user,
            "status": RUN_STATUS[run.status],
            "start_time": run.started,
            "end_time": run.ended,
            "deleted_time": None,
            "lifecycle_stage": run.lifecycle_stage,
            "artifact_uri": self._address(str(number), run.run_id, "artifacts"),
            "source_type": LOCAL_SOURCE,
            "source_name": "",
            "source_version": "",
            "entry_point_name": "",
            "tags": [],
        }
        write_meta(folder, content)
        for part in ("metrics", "params", "artifacts"):
            (folder / part).mkdir()
        tags = dict(run.tags)
        if run.parent:
            tags[PARENT_TAG] = run.parent
        lines = {}
        for key, points in run.metrics.items():
            lines[key] = metric_lines(run, points)
        write_values(folder, "params", run.params)
        write_values(folder, "tags", tags)
        write_values(folder, "metrics", lines)
        self._write_datasets(run, folder)
        self._write_model_links(run, folder)

    def _write_datasets(self, run: Run, folder: Path) -> None:
        """Write the data sets of a run, and the links to them."""
        for dataset in run.datasets:
            content = dataset.model_dump(by_alias=True)
            tags = content.pop("tags")
            dataset_id = mlflow_id(dataset.name, dataset.digest)
            kept = folder.parent / "datasets" / dataset_id
            if not kept.exists():  # as in MLflow, the first of a name and digest counts
                write_meta(kept, content)
            link = _link("DATASET", dataset_id, "RUN")
            link["tags"] = tags
            link_id = mlflow_id(dataset_id, run.run_id)
            write_meta(folder / "inputs" / link_id, link)

    def _write_model_links(self, run: Run, folder: Path) -> None:
        """Write the links to the models that a run used and put out."""
        for model_id in run.model_inputs:
            link = _link("MODEL", model_id, "RUN")
            link["tags"] = {}
            link_id = mlflow_id(model_id, run.run_id)
            write_meta(folder / "inputs" / link_id, link)
        for output in run.model_outputs:
            link = _link("RUN_OUTPUT", output.model_id, "MODEL_OUTPUT")
            link |= {"tags": {}, "step": output.step}
            write_meta(folder / "outputs" / output.model_id, link)

    def _write_model(
        self,
        model: LoggedModel,
        run: Run,
        number: int,
        folder: Path,
    ) -> None:
        experiment = str(number)
        content = {
            "model_id": model.model_id,
            "name": model.name,
            "experiment_id": experiment,
            "model_type": model.type,
            "source_run_id": run.run_id,
            "status": MODEL_STATUS[model.status],
            "status_message": model.status_message,
            "creation_timestamp": model.created,
            "last_updated_timestamp": model.updated,
            "lifecycle_stage": "active",
            "artifact_location": self._address(
                experiment, "models", model.model_id, "artifacts"
            ),
        }
        write_meta(folder, content)
        for part in ("metrics", "params"):
            (folder / part).mkdir()
        lines: dict[str, str] = {}
        for metric in model.metrics:
            earlier = lines.get(metric.key, "")
            lines[metric.key] = earlier + model_metric_line(metric)
        write_values(folder, "params", model.params)
        write_values(folder, "tags", model.tags)
        write_values(folder, "metrics", lines)

    def add_registered_model(self, content: Json, aliases: dict[str, int]) -> None:
        """Write a registered model with its aliases, and none of its versions."""
        folder = self._folder / "models" / content["name"]
        write_meta(folder, content)
        texts = {}
        for alias, version in aliases.items():
            texts[alias] = str(version)
        write_values(folder, "aliases", texts)

    def add_version(self, content: Json, tags: dict[str, str], *files: str) -> None:
        """Write a version of a registered model.

        Args:
            files: the parts of the path of its files below the store.
        """
        model = self._folder / "models" / content["name"]
        folder = model / f"version-{content['version']}"
        address = {"storage_location": self._address(*files)}
        write_meta(folder, content | address)
        write_values(folder, "tags", tags)

    def _address(self, *below: str) -> str:
        return self._place.joinpath(*below).as_uri()

    def _readdress(self, folder: Path) -> None:
        """Replace a model's address in the history by the one in this store."""
        for path in folder.rglob(MODEL_FILE):
            place = self._place / path.parent.relative_to(self._folder)
            line = f"artifact_path: {place.as_uri()}"
            text = path.read_bytes().decode(errors="surrogateescape")
            changed = MODEL_ADDRESS.sub(lambda _: line, text, count=1)
            path.write_bytes(changed.encode(errors="surrogateescape"))


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)


def _link(
    source: str,
    identity: str,
    destination: str,
) -> Json:
    """Return the content of a link between a run and a data set or model."""
    return {
        "source_type": source,
        "source_id": identity,
        # MLflow writes the same ID again, and for an output reads it from here.
        "destination_type": destination,
        "destination_id": identity,
    }
