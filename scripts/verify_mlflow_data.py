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
RECORDS = 10  # the number of commits in the output
PAGE = 100  # runs a request to MLflow
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
                folder = path.parent
                self.runs[folder.name] = run
                self.folders[folder.name] = folder
        for path in sorted(self.mlruns.glob("registry/*/*.json")):
            promotion = self._read(path, PROMOTION)
            if promotion:
                model = path.parent.name
                versions = self.versions.setdefault(model, {})
                versions[promotion["version"]] = promotion

    @property
    def champions(self) -> dict[str, Json]:
        """The newest promotion of each model."""
        champions = {}
        for model, versions in self.versions.items():
            newest = max(versions)
            champions[model] = versions[newest]
        return champions

    def _read(self, path: Path, types: dict[str, Any]) -> Json | None:
        """Return the content of a file with these keys; without them, add a fault."""
        try:
            content = json.loads(path.read_bytes())
        except (OSError, ValueError):
            content = None
        if isinstance(content, dict) and _has_types(content, types):
            return content
        self.fault(path, DAMAGED)
        return None

    def fault(self, path: Path, reason: str) -> None:
        """Add a fault of a file."""
        file = path.relative_to(self.root).as_posix()
        self.faults.append(f"{file}: {reason}")

    def check(self) -> None:
        """Check what Python alone can: every file's digest and every link."""
        for run_id, run in self.runs.items():
            try:
                self._check_run(run_id, run)
            except OUT_OF_SHAPE:
                folder = self.folders[run_id]
                self.fault(folder / "run.json", DAMAGED)
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
        parent = run["parent"]
        if parent and parent not in self.runs:
            self.fault(path, f"its parent run {parent} is not there")
        artifacts = folder / "artifacts"
        for artifact in run["artifacts"]:
            self._check_file(artifacts / artifact["path"], artifact)
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
            run_id = promotion["run_id"]
            run = self.folders.get(run_id)
            if run:
                files = run / "models" / promotion["model_id"]
                self._check_file(files / "model.onnx", promotion)
            else:
                path = folder / f"{version}.json"
                self.fault(path, f"its run {run_id} is not there")

    def _check_file(self, path: Path, expected: Json) -> None:
        if not path.is_file():
            self.fault(path, "is missing")
            return
        content = path.read_bytes()
        digest = sha256(content).hexdigest()
        if len(content) != expected["size"] or digest != expected["sha256"]:
            self.fault(path, "was altered: its size or digest is not the recorded one")


def _has_types(content: Json, types: dict[str, Any]) -> bool:
    """Return whether the values of some keys have these types."""
    for key, kind in types.items():
        if not isinstance(content.get(key), kind):
            return False
    return True


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
        print(f"{counted(len(faults), 'fault')}.")
    else:
        print(f"✓ {counted(len(history.runs), 'run')}, no fault.")
    return bool(faults)


def counted(count: int, one: str, many: str = "") -> str:
    """Do the same as `core.counts`, which this file may have to do without."""
    return f"1 {one}" if count == 1 else f"{count:,} {many or one + 's'}"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    title, _, _ = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(description=title, allow_abbrev=False)
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
        "--server",
        default=SERVER,
        help=f"the MLflow server ({without_password(SERVER)})",
    )
    return parser.parse_args()


def check(history: History, server: str) -> list[str]:
    """Return all faults: those of the whole check where its packages are installed."""
    obstacle = _obstacle()
    if obstacle is None:
        from scripts import history_checks

        return history_checks.check(history.root, server)
    print(
        f"\nChecked with Python alone ({obstacle}): `nox -s verify-history` checks"
        " more."
    )
    history.check()
    missing = compare_server(history.runs.keys(), server)
    return history.faults + missing


def _obstacle() -> str | None:
    """Return why the whole check cannot run here, or None if it can."""
    for name in NEEDED:
        if find_spec(name) is None:
            return f"without {name}"
    if not (CHECKOUT / "pipeline").is_dir():
        return "outside the checkout"
    return None


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
            is_promotion = parts[0] == "registry"
            kind = "registry" if is_promotion else parts[3]
            counts[kind] += 1
    rows = []
    for kind, count in sorted(counts.items()):
        rows.append((kind, f"{count:,}"))
    megabytes = size / 1e6
    rows.append((f"all, {megabytes:,.1f} MB", f"{number:,}"))
    show_table(str(history.mlruns), ("files", "count"), rows)


def show_experiments(history: History) -> None:
    """Show each experiment with the numbers of its runs."""
    experiments: dict[str, list[Json]] = {}
    for run in history.runs.values():
        runs = experiments.setdefault(run["experiment"], [])
        runs.append(run)
    rows = []
    for name, runs in sorted(experiments.items()):
        nested = [run for run in runs if run["parent"] is not None]
        finished = [run for run in runs if run["status"] == "FINISHED"]
        days = [day(run["started"]) for run in runs]
        row = (
            name,
            str(len(runs)),
            str(len(nested)),
            str(len(finished)),
            min(days),
            max(days),
        )
        rows.append(row)
    titles = ("experiment", "runs", "of them nested", "finished", "first", "last")
    show_table("Experiments", titles, rows)


def show_models(history: History) -> None:
    """Show each registered model with its champion."""
    rows = []
    for model, champion in history.champions.items():
        size = champion["size"]
        digest = champion["sha256"][:12]
        row = (
            model,
            f"v{champion['version']}",
            day(champion["promoted"]),
            champion["decided_by"],
            champion["run_id"][:8],
            f"{size:,} bytes, {digest}",
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
        print(f"{counted(len(commits), 'commit')} in all.")
        return
    promotions: list[Json] = []
    for versions in history.versions.values():
        promotions += versions.values()
    newest_first = sorted(promotions, key=promoted, reverse=True)
    for promotion in newest_first[:RECORDS]:
        commit = promotion["commit"][:7]
        promoted_on = day(promotion["promoted"])
        version = f"{promotion['model']} v{promotion['version']}"
        decided_by = promotion["decided_by"]
        print(f"{commit} {promoted_on} {version}, by {decided_by}")
    print(
        f"{counted(len(promotions), 'promotion')} in all; without Git or its folder no"
        " commits are shown."
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
    print(f"\nMLflow server {without_password(server)}")
    try:
        served = served_runs(server)
    except (HTTPException, OSError, *OUT_OF_SHAPE) as error:
        kind = type(error).__name__
        print(f"not compared: {kind} {error}")
        return []
    present = len(run_ids & served)
    others = len(served) - present
    runs = counted(len(run_ids), "run is", "runs are")
    print(f"{present} of {runs} there; {others} more are only there.")
    missing = sorted(run_ids - served)
    return [f"run {run_id}: the server does not show it" for run_id in missing]


def served_runs(server: str) -> set[str]:
    """Return the IDs of the runs that a server shows."""
    page = search(server, "experiments", {})
    experiments = page.get("experiments", [])
    experiment_ids = [entry["experiment_id"] for entry in experiments]
    query: Json = {"experiment_ids": experiment_ids}
    run_ids: set[str] = set()
    while True:
        page = search(server, "runs", query)
        for run in page.get("runs", []):
            run_ids.add(run["info"]["run_id"])
        query["page_token"] = page.get("next_page_token", "")
        if not query["page_token"]:
            return run_ids


def search(
    server: str,
    kind: str,
    query: Json,
) -> Json:
    """Return a page of MLflow's experiments or runs."""
    start = server.rstrip("/")
    address = f"{start}/api/2.0/mlflow/{kind}/search"
    body = json.dumps({"max_results": PAGE} | query)
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, body.encode(), headers)
    opener = opener_for(address)
    with opener.open(request, timeout=SECONDS) as response:
        return dict(json.load(response))


def opener_for(address: str) -> urllib.request.OpenerDirector:
    """Return what opens an address: without a proxy if the server is ours."""
    if urlsplit(address).hostname in OURS:
        without_proxy = urllib.request.ProxyHandler({})
        return urllib.request.build_opener(without_proxy)
    return urllib.request.build_opener()


def without_password(address: str) -> str:
    """Return an address without the password that it may hold."""
    return re.sub(r"//.*@", "//", address)


def show_table(
    title: str,
    titles: tuple[str, ...],
    rows: Sequence[Iterable[str]],
) -> None:
    """Print a table whose columns are as wide as their longest text."""
    lines = [titles, *rows]
    widths = []
    for column in zip(*lines):
        widths.append(max(map(len, column)))
    print(f"\n{title}")
    for line in lines:
        text = ""
        for cell, width in zip(line, widths):
            text += f"  {cell.ljust(width)}"
        print(text.rstrip())


def day(milliseconds: int) -> str:
    """Return the day of a time in milliseconds since the epoch, UTC."""
    time = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return time.date().isoformat()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BrokenPipeError, KeyboardInterrupt):  # for example when piped into `head`
        os._exit(1)
