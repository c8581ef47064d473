"""Rows on runs, models and their files."""

import hashlib
import json
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import Any

from scripts.loopback import free_port
from tools.documents.row import Row, expect
from tools.documents.stack import Stack

VERIFY = (
    "MLFLOW_TRACKING_URI=http://localhost:5000 python {} scripts/verify_mlflow_data.py"
)
IN_CONTAINER = "docker compose exec -T mlflow-server python /tmp/verify_mlflow_data.py"
STORE = "build/file-store"
BUNDLE = "build/rows-bundle"
REGISTRY = "/api/2.0/mlflow/registered-models"
ALGORITHM = "random_forest"


def verify_the_history(stack: Stack) -> str:
    """Verify with packages and without, on the host and in MLflow's container."""
    for options in ("", "-S"):  # with -S Python finds no installed package
        output = stack.shell(VERIFY.format(options))
        _expect_no_fault(output)
    where = "on the host, with packages and without"
    if stack.mode == "containers":
        inside = stack.shell(IN_CONTAINER)
        _expect_no_fault(inside)
        where += ", and in the container"
    last_line = output.strip().splitlines()[-1]
    return f"{last_line} {where}"


def _expect_no_fault(output: str) -> None:
    end = output[-300:]
    for words in ("no fault", "runs are there"):
        expect(words in output, f"it says: {end}")


def export_a_file_store(stack: Stack) -> str:
    """Export the history as a file store, and count its YAML files."""
    listed = stack.shell("find mlruns -name run.json")
    runs = len(listed.split())
    stack.shell(f"python -m pipeline history export --to {STORE}")
    try:
        listed = stack.shell(f"find {STORE} -name '*.yaml'")
    finally:
        shutil.rmtree(stack.checkout / STORE)
    files = len(listed.split())
    expect(files > runs, f"{files} files for {runs} runs")
    return f"{files} YAML files of {runs} runs"


def make_a_model_again(stack: Stack) -> str:
    """Export a model as joblib, and read the metadata beside it."""
    stack.shell(
        f"python -m pipeline export iris --algorithm {ALGORITHM} --format joblib"
    )
    models = stack.checkout / "models"
    model = models / f"{ALGORITHM}_best_model.joblib"
    metadata_file = models / f"{ALGORITHM}_best_model_metadata.json"
    size = model.stat().st_size
    metadata = json.loads(metadata_file.read_bytes())
    model.unlink()
    metadata_file.unlink()
    changed = stack.shell("git status --porcelain models")
    expect(not changed, f"Git sees {changed}")
    described = metadata["files"][model.name]
    expect(described["size"] == size, f"the metadata are {metadata}")
    return f"{model.name}, {size:,} bytes: {metadata['compared']}"


def read_the_registry(stack: Stack) -> str:
    """Ask MLflow for aliases and stages as its clients do."""
    versions: list[str] = []
    for alias, stage in (("champion", "production"), ("challenger", "staging")):
        answer = stack.get(f"{REGISTRY}/alias?name=iris&alias={alias}", "mlflow-server")
        expect(answer.status == 200, f"no alias {alias}: {answer.text}")
        version: dict[str, Any] = answer.json["model_version"]
        tags = {tag["key"]: tag["value"] for tag in version["tags"]}
        shown = (tags.get("stage"), version["current_stage"].lower())
        expect(shown == (stage, stage), f"{alias} is shown in the stages {shown}")
        versions.append(f"{alias} is version {version['version']} in {stage}")
    return "; ".join(versions)


def train_and_serve(stack: Stack) -> str:
    """Train a task and start an API, instead of with `train.py` and `serve.py`."""
    stack.shell(f"python -m pipeline train --task iris --out {BUNDLE}")
    shutil.rmtree(stack.checkout / BUNDLE)
    line = stack.first_line(f"env API_PORT={free_port()} python -m app")
    expect("a model is in service" in line, f"`python -m app` says {line}")
    return "trained iris; `python -m app` serves"


def back_up(stack: Stack) -> str:
    """Back up the running stack, and compare the archives with their digests."""
    local = "" if stack.mode == "containers" else " --local"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "backup")
        stack.shell(f"python -m pipeline backup {shlex.quote(str(folder))}{local}")
        content = json.loads((folder / "backup.json").read_text("utf-8"))
        names = sorted(content["archives"])
        for archive in names:
            digest = hashlib.sha256((folder / f"{archive}.tar").read_bytes())
            expect(
                digest.hexdigest() == content["archives"][archive]["sha256"],
                f"{archive}.tar is not the file that backup.json describes",
            )
    # Prometheus was stopped meanwhile.
    stack.await_healthy()
    expect("mlflow-database" in names, f"no database of MLflow, only {names}")
    expect("predictions" in names, f"no log of predictions, only {names}")
    return f"`pipeline backup{local}` copies {', '.join(names)}"


ROWS = [
    Row(
        number=4,
        typed=(
            "`docker compose exec mlflow-server python /tmp/verify_mlflow_data.py`, "
            "`python scripts/verify_mlflow_data.py`"
        ),
        here="as typed, with any Python from 3.11 on",
        page="[how to](how-to.md#verify-the-history)",
        check=verify_the_history,
    ),
    Row(
        number=5,
        typed="`find /mlflow/mlruns -name '*.yaml'`",
        here=(
            "runs are `run.json`; `pipeline history export --to DIR` writes a file"
            " store"
        ),
        page="[below](#runs)",
        check=export_a_file_store,
    ),
    Row(
        number=6,
        typed=(
            "`models/<algorithm>_best_model.joblib`, "
            "`models/<algorithm>_best_model_metadata.json`"
        ),
        here="`pipeline export TASK --algorithm NAME --format joblib` writes them",
        page="[below](#models)",
        check=make_a_model_again,
    ),
    Row(
        number=8,
        typed="the registry's stages `Staging` and `Production`",
        here=(
            "aliases `challenger` and `champion`; each version also has the stage, and"
            " the tag `stage`"
        ),
        page="[below](#models)",
        check=read_the_registry,
    ),
    Row(
        number=24,
        typed="`python train.py`, `python serve.py`",
        here="`python -m pipeline train`, `python -m app`",
        page="[below](#training-and-serving)",
        check=train_and_serve,
    ),
    Row(
        number=27,
        typed=(
            "`docker exec … pg_dump`, `mc mirror`, `docker cp … prometheus` as backups"
        ),
        here=(
            "`pipeline backup DIR` copies all of it while the stack runs, and `pipeline"
            " restore-backup DIR` restores it"
        ),
        page="[backup](backup.md)",
        check=back_up,
    ),
]
