"""Shows what the history holds, and checks it against the files and a running MLflow.

`python scripts/verify_mlflow_data.py` needs Python 3.11 and no package; with the
project's packages it checks all that `pipeline history verify` does. It ends with 1 if
anything is wrong. In MLflow's container: `docker compose exec mlflow-server python
/tmp/verify_mlflow_data.py`.
"""

import argparse
import io
import json
import os
import re
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from datetime import UTC, datetime
from hashlib import sha256
from http.client import HTTPException
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CHECKOUT = Path(__file__).resolve().parent.parent
IN_CONTAINER = Path("/mlflow")  # where docker-compose.yml mounts the checkout's folders
NEEDED = ("filelock", "mlflow", "pydantic", "yaml")  # packages for the whole check
SERVER = os.environ.get("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
OURS = ("localhost", "127.0.0.1", "::1", "mlflow-server")
RECORDS = 10  # commits that are shown
PAGE = 100  # runs that MLflow is asked for at once
SECONDS = 30  # how long to wait for MLflow
RUN = {
    "run_id": str,
    "experiment": str,
    "started": int,
    "status": str,
    "parent": str | None,
}
PROMOTION = {
    "model": str,
    "version": int,
    "run_id": str,
    "model_id": str,
    "sha256": str,
    "size": int,
    "promoted": int,
    "commit": str,
    "decided_by": str,
}
OUT_OF_SHAPE = (AttributeError, KeyError, TypeError, ValueError)
DAMAGED = "is not whole: truncated, or edited out of shape"
Json = dict[str, Any]


class History:
    """The content of `mlruns/` as far as it can be read.

    Attributes:
        runs: the runs by run ID.
        folders: the folder of each run by run ID.
        versions: the promotions of each model by version.
        faults: what is wrong, one sentence per fault.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.mlruns = root / "mlruns"
        self.faults: list[str] = []
        self.runs: dict[str, Json] = {}
        self.folders: dict[str, Path] = {}
        self.versions: dict[str, dict[int, Json]] = {}
        for path in sorted(self.mlruns.glob("[!.]*/*/*/run.json")):
            run = self._read(path, RUN)
            if run:
                self.runs[path.parent.name] = run
                self.folders[path.parent.name] = path.parent
        for path in sorted(self.mlruns.glob("registry/*/*.json")):
            promotion = self._read(path, PROMOTION)
            if promotion:
                versions = self.versions.setdefault(path.parent.name, {})
                versions[promotion["version"]] = promotion

    @property
    def champions(self) -> dict[str, Json]:
        """The newest promotion of each model."""
        champions = {}
        for model, versions in self.versions.items():
            champions[model] = versions[max(versions)]
        return champions

    def _read(self, path: Path, types: dict[str, Any]) -> Json | None:
        """Return the content of a file with these keys; if it has not, add a fault."""
        try:
            content = json.loads(path.read_bytes())
        except (OSError, ValueError):
            content = None
        if isinstance(content, dict):
            matches = [isinstance(content.get(key), types[key]) for key in types]
            if all(matches):
                return content
        self.fault(path, DAMAGED)
        return None

    def fault(self, path: Path, reason: str) -> None:
        """Add a fault of a file."""
        self.faults.append(f"{path.relative_to(self.root).as_posix()}: {reason}")

    def check(self) -> None:
        """Check what Python alone can: every file's digest and every link."""
        for run_id, run in self.runs.items():
            try:
                self._check_run(run_id, run)
            except OUT_OF_SHAPE:
                self.fault(self.folders[run_id] / "run.json", DAMAGED)
        for model in self.versions:
            self._check_versions(model)
        models = self.root / "deployment" / "models"
        for model, champion in self.champions.items():
            if models.is_dir():
                self._check_file(models / model / "model.onnx", champion)

    def _check_run(self, run_id: str, run: Json) -> None:
        folder = self.folders[run_id]
        path = folder / "run.json"
        if run["run_id"] != run_id:
            self.fault(path, "is not the run that its folder names")
        if run["parent"] and run["parent"] not in self.runs:
            self.fault(path, f"its parent run {run['parent']} is not there")
        for artifact in run["artifacts"]:
            self._check_file(folder / "artifacts" / artifact["path"], artifact)
        for model in run["models"]:
            files = folder / "models" / model["model_id"]
            if not files.is_dir():
                continue  # only models that were promoted keep their files
            for artifact in model["artifacts"]:
                self._check_file(files / artifact["path"], artifact)

    def _check_versions(self, model: str) -> None:
        versions = self.versions[model]
        folder = self.mlruns / "registry" / model
        for version in range(1, max(versions)):
            if version not in versions:
                self.fault(folder, f"version {version} is missing")
        for version, promotion in versions.items():
            run = self.folders.get(promotion["run_id"])
            if run:
                files = run / "models" / promotion["model_id"]
                self._check_file(files / "model.onnx", promotion)
            else:
                reason = f"its run {promotion['run_id']} is not there"
                self.fault(folder / f"{version}.json", reason)

    def _check_file(self, path: Path, expected: Json) -> None:
        if not path.is_file():
            self.fault(path, "is missing")
            return
        content = path.read_bytes()
        same_size = len(content) == expected["size"]
        if not same_size or sha256(content).hexdigest() != expected["sha256"]:
            self.fault(path, "was altered: its size or digest is not the recorded one")


def main() -> int:
    """Print all sections, then the verdict."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a console may lack a character
        encoding = None if sys.stdout.isatty() else "utf-8"
        sys.stdout.reconfigure(encoding=encoding, errors="replace")
    options = arguments()
    root: Path = options.repo.resolve()
    if not (root / "mlruns").is_dir():
        print(
            f"error: {root} has no folder mlruns: name the repository's root with"
            " --repo."
        )
        return 2
    sys.path.insert(0, str(CHECKOUT))
    history = History(root)
    for show in (show_structure, show_experiments, show_models, show_record):
        show(history)
    faults = check(history, options.server)
    print("\nVerdict")
    for fault in faults:
        print(f"✗ {fault}")
    if faults:
        print(f"{len(faults)} faults.")
    else:
        print(f"✓ {len(history.runs)} runs, no fault.")
    return bool(faults)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    title, _, _ = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(description=title)
    default = Path()
    for place in (IN_CONTAINER, CHECKOUT):
        if (place / "mlruns").is_dir():
            default = place
    parser.add_argument(
        "--repo",
        type=Path,
        default=default,
        help="the repository",
    )
    parser.add_argument(
        "--server", default=SERVER, help=f"the MLflow server ({shown(SERVER)})"
    )
    return parser.parse_args()


def check(history: History, server: str) -> list[str]:
    """Return all faults: those of the whole check where its packages are installed."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if not missing and (CHECKOUT / "pipeline").is_dir():
        from scripts import history_checks

        return history_checks.check(history.root, server)
    where = f"without {missing[0]}" if missing else "outside the checkout"
    print(
        f"\nChecked with Python alone ({where}): `nox -s verify-history` checks more."
    )
    history.check()
    return history.faults + compare_server(history.runs.keys(), server)


def show_structure(history: History) -> None:
    """Count the files in `mlruns/`."""
    counts: Counter[str] = Counter()
    number = 0
    size = 0
    for path in history.mlruns.glob("[!.]*/**/*"):
        if not path.is_file():
            continue
        number += 1
        size += path.stat().st_size
        parts = path.relative_to(history.mlruns).parts
        if len(parts) > 2:
            kind = "registry" if parts[0] == "registry" else parts[3]
            counts[kind] += 1
    rows = [(kind, f"{counts[kind]:,}") for kind in sorted(counts)]
    rows.append((f"all, {size / 1e6:,.1f} MB", f"{number:,}"))
    show_table(str(history.mlruns), ("files", "count"), rows)


def show_experiments(history: History) -> None:
    """Show each experiment with the numbers of its runs."""
    rows = []
    for name in sorted({run["experiment"] for run in history.runs.values()}):
        runs = [run for run in history.runs.values() if run["experiment"] == name]
        nested = [run for run in runs if run["parent"] is not None]
        finished = [run for run in runs if run["status"] == "FINISHED"]
        days = [day(run["started"]) for run in runs]
        counts = (str(len(runs)), str(len(nested)), str(len(finished)))
        rows.append((name, *counts, min(days), max(days)))
    titles = ("experiment", "runs", "of them nested", "finished", "first", "last")
    show_table("Experiments", titles, rows)


def show_models(history: History) -> None:
    """Show each registered model with its champion."""
    rows = []
    for model, champion in history.champions.items():
        row = (
            model,
            f"v{champion['version']}",
            day(champion["promoted"]),
            champion["decided_by"],
            champion["run_id"][:8],
            f"{champion['size']:,} bytes, {champion['sha256'][:12]}",
        )
        rows.append(row)
    titles = ("model", "champion", "promoted", "by", "run", "model.onnx")
    show_table("Models", titles, rows)


def show_record(history: History) -> None:
    """Show the commits that changed `mlruns/`; without Git, the promotions."""
    print("\nRecord of persistence (git log -- mlruns)")
    commits = commits_of(history)
    if commits:
        print("\n".join(commits[:RECORDS]))
        print(f"{len(commits)} commits in all.")
        return
    promotions: list[Json] = []
    for versions in history.versions.values():
        promotions += versions.values()
    newest_first = sorted(promotions, key=promoted, reverse=True)
    for promotion in newest_first[:RECORDS]:
        version = f"{promotion['model']} v{promotion['version']}"
        when = day(promotion["promoted"])
        commit = promotion["commit"][:7]
        print(f"{commit} {when} {version}, by {promotion['decided_by']}")
    print(
        f"{len(promotions)} promotions in all; without Git or its folder no commits are"
        " shown."
    )


def promoted(promotion: Json) -> int:
    """Return the time of a promotion."""
    return int(promotion["promoted"])


def commits_of(history: History) -> list[str]:
    """Return the commits that changed `mlruns/`, newest first; none without Git."""
    if not (CHECKOUT / "pipeline").is_dir():  # in MLflow's container
        return []
    from core.errors import PipelineError
    from core.git import git

    command = ("log", "--format=%h %cs %an: %s", "--", "mlruns")
    try:
        return git(history.root, *command).splitlines()
    except PipelineError:
        return []


def compare_server(run_ids: Set[str], server: str) -> list[str]:
    """Return the runs of the files that a server does not show; none without a server."""
    print(f"\nMLflow server {shown(server)}")
    try:
        served = served_runs(server)
    except (HTTPException, OSError, *OUT_OF_SHAPE) as error:
        print(f"not compared: {type(error).__name__} {error}")
        return []
    present = len(run_ids & served)
    print(
        f"{present} of {len(run_ids)} runs are there; {len(served) - present} more are"
        " only there."
    )
    missing = sorted(run_ids - served)
    return [f"run {run_id}: the server does not show it" for run_id in missing]


def served_runs(server: str) -> set[str]:
    """Return the IDs of the runs that a server shows."""
    answer = ask(server, "experiments/search", {})
    experiments = answer.get("experiments", [])
    query: Json = {"experiment_ids": [entry["experiment_id"] for entry in experiments]}
    run_ids: set[str] = set()
    while True:
        page = ask(server, "runs/search", query)
        run_ids.update(run["info"]["run_id"] for run in page.get("runs", []))
        query["page_token"] = page.get("next_page_token", "")
        if not query["page_token"]:
            return run_ids


def ask(
    server: str,
    path: str,
    query: Json,
) -> Json:
    """Return MLflow's answer to a search; a server of ours is asked without a proxy."""
    address = f"{server.rstrip('/')}/api/2.0/mlflow/{path}"
    body = json.dumps({"max_results": PAGE} | query).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, body, headers)
    opener = urllib.request.build_opener()
    if urlsplit(address).hostname in OURS:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=SECONDS) as answer:
        return dict(json.load(answer))


def shown(address: str) -> str:
    """Return an address without the password that it may hold."""
    return re.sub(r"//.*@", "//", address)


def show_table(
    title: str,
    titles: tuple[str, ...],
    rows: Sequence[Iterable[str]],
) -> None:
    """Print a table whose columns are as wide as their longest text."""
    lines = [titles, *rows]
    widths = [max(map(len, column)) for column in zip(*lines)]
    print(f"\n{title}")
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths)]
        print(f"  {'  '.join(cells)}".rstrip())


def day(milliseconds: int) -> str:
    """Return the day of a time in milliseconds since the epoch, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BrokenPipeError, KeyboardInterrupt):  # for example when piped into `head`
        os._exit(1)
