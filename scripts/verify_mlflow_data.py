"""Shows what the history holds and checks it, against the files and against a running
MLflow.

`python scripts/verify_mlflow_data.py` needs Python 3.11 and no package; where the
project's are installed it checks all that `pipeline history verify` does. It ends with
1 if anything is wrong. In MLflow's container: `docker compose exec mlflow-server python
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
from collections.abc import Sequence, Set
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
RECORDS, PAGE, SECONDS = 10, 100, 30
RUN = {
    "run_id": str,
    "experiment": str,
    "started": int,
    "status": str,
    "parent": str | None,
}
TEXTS = "model run_id model_id sha256 commit decided_by".split()
PROMOTION = {"version": int, "promoted": int, "size": int} | dict.fromkeys(TEXTS, str)
OUT_OF_SHAPE = (AttributeError, KeyError, TypeError, ValueError)
DAMAGED = "is not whole: truncated, or edited out of shape"
Json = dict[str, Any]


class History:
    """What lies below `mlruns/`, as far as it can be read, and what is wrong with it."""

    def __init__(self, root: Path) -> None:
        self.root, self.mlruns = root, root / "mlruns"
        self.faults: list[str] = []
        self.runs: dict[str, Json] = {}
        self.folders: dict[str, Path] = {}  # by run id
        for path in sorted(self.mlruns.glob("[!.]*/*/*/run.json")):
            if run := self._read(path, RUN):
                self.runs[path.parent.name], self.folders[path.parent.name] = (
                    run,
                    path.parent,
                )
        self.versions: dict[str, dict[int, Json]] = (
            {}
        )  # promotions by model and version
        for path in sorted(self.mlruns.glob("registry/*/*.json")):
            if entry := self._read(path, PROMOTION):
                self.versions.setdefault(path.parent.name, {})[entry["version"]] = entry
        self.champions = {
            model: found[max(found)] for model, found in self.versions.items()
        }

    def _read(self, path: Path, types: dict[str, Any]) -> Json | None:
        """Return a file's content if it has the keys of such a file; else note the
        fault.
        """
        try:
            content = json.loads(path.read_bytes())
        except (OSError, ValueError):
            content = None
        if isinstance(content, dict) and all(
            isinstance(content.get(k), types[k]) for k in types
        ):
            return content
        self.fault(path, DAMAGED)
        return None

    def fault(self, path: Path, reason: str) -> None:
        """Note what is wrong with a file."""
        self.faults.append(f"{path.relative_to(self.root).as_posix()}: {reason}")

    def check(self) -> None:
        """Check what Python alone can: every file's digest, every link, every number."""
        for run_id, run in self.runs.items():
            try:
                self._check_run(run_id, run)
            except OUT_OF_SHAPE:
                self.fault(self.folders[run_id] / "run.json", DAMAGED)
        for model, found in self.versions.items():
            for version in set(range(1, max(found))) - found.keys():
                self.fault(
                    self.mlruns / "registry" / model, f"version {version} is missing"
                )
            for version, entry in found.items():
                if folder := self.folders.get(entry["run_id"]):
                    self._check_file(
                        folder / "models" / entry["model_id"] / "model.onnx", entry
                    )
                else:
                    path = self.mlruns / "registry" / model / f"{version}.json"
                    self.fault(path, f"its run {entry['run_id']} is not there")
        for model, entry in self.champions.items():
            if (served := self.root / "deployment" / "models" / model).parent.is_dir():
                self._check_file(served / "model.onnx", entry)

    def _check_run(self, run_id: str, run: Json) -> None:
        folder = self.folders[run_id]
        if run["run_id"] != run_id:
            self.fault(folder / "run.json", "is not the run that its folder names")
        if run["parent"] and run["parent"] not in self.runs:
            self.fault(
                folder / "run.json", f"its parent run {run['parent']} is not there"
            )
        for listed in run["artifacts"]:
            self._check_file(folder / "artifacts" / listed["path"], listed)
        for model in run["models"]:
            files = folder / "models" / model["model_id"]
            for listed in model["artifacts"] if files.is_dir() else ():
                self._check_file(files / listed["path"], listed)

    def _check_file(self, path: Path, listed: Json) -> None:
        if not path.is_file():
            return self.fault(path, "is missing")
        content = path.read_bytes()
        if (len(content), sha256(content).hexdigest()) != (
            listed["size"],
            listed["sha256"],
        ):
            self.fault(path, "was altered: its size or digest is not the recorded one")


def main() -> int:
    """Print all sections, then the verdict."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a console may lack a character
        sys.stdout.reconfigure(
            encoding=None if sys.stdout.isatty() else "utf-8", errors="replace"
        )
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    places = (at for at in (CHECKOUT, IN_CONTAINER) if (at / "mlruns").is_dir())
    parser.add_argument(
        "--repo", type=Path, default=next(places, "."), help="the repository"
    )
    parser.add_argument(
        "--server", default=SERVER, help=f"the MLflow server ({shown(SERVER)})"
    )
    options = parser.parse_args()
    root = options.repo.resolve()
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
    print("\n".join(["\nVerdict", *(f"✗ {fault}" for fault in faults)]))
    print(
        f"{len(faults)} faults." if faults else f"✓ {len(history.runs)} runs, no fault."
    )
    return bool(faults)


def check(history: History, server: str) -> list[str]:
    """Return all faults: those of the whole check if its packages are there, else our
    own.
    """
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
    """Count what lies in `mlruns/`."""
    files = [path for path in history.mlruns.glob("[!.]*/**/*") if path.is_file()]
    places = [path.relative_to(history.mlruns).parts for path in files]
    counts = Counter(
        "registry" if at[0] == "registry" else at[3] for at in places if at[2:]
    )
    rows = [(kind, f"{count:,}") for kind, count in sorted(counts.items())]
    size = sum(path.stat().st_size for path in files)
    total = (f"all, {size / 1e6:,.1f} MB", f"{len(files):,}")
    show_table(str(history.mlruns), ("files", "count"), [*rows, total])


def show_experiments(history: History) -> None:
    """Show each experiment with its runs."""
    rows = []
    for name in sorted({run["experiment"] for run in history.runs.values()}):
        own = [run for run in history.runs.values() if run["experiment"] == name]
        nested = sum(run["parent"] is not None for run in own)
        finished = sum(run["status"] == "FINISHED" for run in own)
        days = [day(run["started"]) for run in own]
        rows.append(
            (name, str(len(own)), str(nested), str(finished), min(days), max(days))
        )
    titles = ("experiment", "runs", "of them nested", "finished", "first", "last")
    show_table("Experiments", titles, rows)


def show_models(history: History) -> None:
    """Show each registered model with its champion."""
    rows = [
        (model, f"v{entry['version']}", day(entry["promoted"]), entry["decided_by"])
        + (entry["run_id"][:8], f"{entry['size']:,} bytes, {entry['sha256'][:12]}")
        for model, entry in history.champions.items()
    ]
    show_table(
        "Models", ("model", "champion", "promoted", "by", "run", "model.onnx"), rows
    )


def show_record(history: History) -> None:
    """Show which commits brought what is in `mlruns/`; without Git the promotions say
    it.
    """
    print("\nRecord of persistence (git log -- mlruns)")
    if commits := commits_of(history):
        print("\n".join([*commits[:RECORDS], f"{len(commits)} commits in all."]))
    else:
        entries = [
            entry for found in history.versions.values() for entry in found.values()
        ]
        for entry in sorted(entries, key=lambda entry: entry["promoted"])[
            : -RECORDS - 1 : -1
        ]:
            who = f"{entry['model']} v{entry['version']}, by {entry['decided_by']}"
            print(entry["commit"][:7], day(entry["promoted"]), who)
        print(
            f"{len(entries)} promotions in all; without Git or its folder no commits"
            " are shown."
        )


def commits_of(history: History) -> list[str]:
    """Return the commits that changed `mlruns/`, newest first; none without Git or its
    folder.
    """
    if not (
        CHECKOUT / "pipeline"
    ).is_dir():  # in MLflow's container, which has no Git either
        return []
    from core.errors import PipelineError
    from core.git import git

    try:
        return git(
            history.root, "log", "--format=%h %cs %an: %s", "--", "mlruns"
        ).splitlines()
    except PipelineError:
        return []


def compare_server(runs: Set[str], server: str) -> list[str]:
    """Return which runs of the files a server does not show; none if no server answers."""
    print(f"\nMLflow server {shown(server)}")
    served: set[str] = set()
    try:
        found = ask(server, "experiments/search", {}).get("experiments", [])
        query: Json = {"experiment_ids": [entry["experiment_id"] for entry in found]}
        while query.get("page_token", "first"):
            page = ask(server, "runs/search", query)
            served |= {run["info"]["run_id"] for run in page.get("runs", [])}
            query["page_token"] = page.get("next_page_token", "")
    except (HTTPException, OSError, *OUT_OF_SHAPE) as error:
        print(f"not compared: {type(error).__name__} {error}")
        return []
    here = len(runs & served)
    print(
        f"{here} of {len(runs)} runs are there; {len(served) - here} more are there"
        " alone."
    )
    return [
        f"run {run_id}: the server does not show it" for run_id in sorted(runs - served)
    ]


def ask(server: str, path: str, query: Json) -> Json:
    """Return what MLflow answers to a search; no proxy stands before a server of this
    machine.
    """
    address = f"{server.rstrip('/')}/api/2.0/mlflow/{path}"
    body = json.dumps({"max_results": PAGE} | query).encode()
    request = urllib.request.Request(
        address, body, {"Content-Type": "application/json"}
    )
    ours = urlsplit(address).hostname in (
        "localhost",
        "127.0.0.1",
        "::1",
        "mlflow-server",
    )
    handlers = [urllib.request.ProxyHandler({})] if ours else []
    with urllib.request.build_opener(*handlers).open(
        request, timeout=SECONDS
    ) as answer:
        return dict(json.load(answer))


def shown(address: str) -> str:
    """Return an address without the password that it may hold."""
    return re.sub(r"//.*@", "//", address)


def show_table(
    title: str, titles: tuple[str, ...], rows: Sequence[tuple[str, ...]]
) -> None:
    """Print a table whose columns are as wide as what is in them."""
    widths = [max(map(len, column)) for column in zip(titles, *rows)]
    print(f"\n{title}")
    for row in (titles, *rows):
        print("  " + "  ".join(map(str.ljust, row, widths)).rstrip())


def day(milliseconds: int) -> str:
    """Return a day in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BrokenPipeError, KeyboardInterrupt):  # as where `head` has read enough
        os._exit(1)
