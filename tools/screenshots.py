"""Takes the pictures in `docs/images/` of a running stack and of the history's pages.

`nox -s screenshots` runs it.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from scripts import commands
from scripts.loopback import ask
from scripts.stack.settings import ROOT, Settings
from scripts.stack.verify import QUERY
from tools.browser import QUIET, find_browser

FOLDER = ROOT / "docs" / "images"
SETTLE_MS = 25_000


@dataclass(frozen=True)
class Page:
    """A page to take a picture of.

    Attributes:
        name: the picture's name, without its ending.
        height: the picture's height in pixels.
    """

    name: str
    address: str
    height: int


def pages(settings: Settings) -> list[Page]:
    """Return the pages of the stack."""
    mlflow = settings.url("mlflow-server", "/#")
    champion = _champion()
    model = champion["model"]
    experiment = _experiment(settings, model)
    runs = f"{mlflow}/experiments/{experiment}/runs"
    run = f"{runs}/{champion['run_id']}"
    plot = f"{run}/artifacts/predicted_vs_true.png"
    return [
        Page("mlflow-experiments", f"{mlflow}/experiments{QUERY}", 700),
        Page("mlflow-runs", f"{runs}{QUERY}", 950),
        Page("mlflow-run", f"{run}{QUERY}", 1100),
        Page("mlflow-plot", f"{plot}{QUERY}", 850),
        Page("mlflow-versions", f"{mlflow}/models/{model}{QUERY}", 700),
        Page("api-try-it", settings.url("mlops-api", "/"), 1000),
        Page("api-docs", settings.url("mlops-api", "/docs"), 1500),
        Page("api-redoc", settings.url("mlops-api", "/redoc"), 1100),
        Page("api-dashboard", settings.url("mlops-api", "/dashboard"), 1000),
    ]


def history_pages(folder: Path) -> list[Page]:
    """Write the history as pages into a folder, and return those to take pictures of."""
    from pipeline.repo import Repo
    from pipeline.site import site
    from pipeline.verification import open_history

    repo = Repo.open(ROOT)
    with open_history(repo) as history:
        site.write(repo, history, folder)
    address = (folder / "task-housing.html").as_uri()
    return [Page("history-task", address, 1250)]


def _champion() -> dict[str, Any]:
    """Return the newest version of the housing model."""
    folder = ROOT / "mlruns" / "registry" / "housing"
    entries = []
    for path in folder.glob("*.json"):
        entry = json.loads(path.read_text("utf-8"))
        entries.append(entry)
    newest: dict[str, Any] = max(entries, key=lambda entry: entry["version"])
    return newest


def _experiment(settings: Settings, name: str) -> str:
    path = f"/api/2.0/mlflow/experiments/get-by-name?experiment_name={name}"
    answer = ask(settings.url("mlflow-server", path))
    experiment = answer["experiment"]
    return str(experiment["experiment_id"])


def take(browser: str, page: Page, file: Path) -> None:
    """Write a picture of a page, 1,500 pixels wide, once it has settled."""
    with tempfile.TemporaryDirectory() as profile:
        command = [
            browser,
            *QUIET,
            f"--user-data-dir={profile}",
            f"--window-size=1500,{page.height}",
            f"--virtual-time-budget={SETTLE_MS}",
            f"--screenshot={file}",
            page.address,
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=180)


def main(
    port_offset: Annotated[
        int, typer.Option(metavar="N", help="What is added to every port.")
    ] = 0,
) -> None:
    """Take all pictures of the running stack and of the history's pages."""
    settings = Settings.read(port_offset)
    browser = find_browser()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mlops-") as name:
        of_history = history_pages(Path(name).resolve() / "site")
        for page in pages(settings) + of_history:
            file = FOLDER / f"{page.name}.png"
            take(browser, page, file)
            print(file.relative_to(ROOT).as_posix())


if __name__ == "__main__":
    sys.exit(commands.run(main))
