"""Takes the pictures in `docs/images/` of a running stack: `nox -s screenshots`."""

import json
import shutil
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

FOLDER = ROOT / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
# Otherwise a browser sends requests to its vendor's servers before it draws a page.
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
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


def find_browser() -> str:
    """Return the first browser that is installed.

    Raises:
        typer.Exit: there is none.
    """
    for name in BROWSERS:
        program = shutil.which(name)
        if program:
            return program
    names = ", ".join(BROWSERS)
    raise commands.fail(f"no browser found: install one of {names}.")


def main(
    port_offset: Annotated[
        int, typer.Option(metavar="N", help="What is added to every port.")
    ] = 0,
) -> None:
    """Take all pictures of the running stack."""
    settings = Settings.read(port_offset)
    browser = find_browser()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for page in pages(settings):
        file = FOLDER / f"{page.name}.png"
        take(browser, page, file)
        print(file.relative_to(ROOT).as_posix())


if __name__ == "__main__":
    sys.exit(commands.run(main))
