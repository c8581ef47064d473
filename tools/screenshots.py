"""Takes the pictures in `docs/images/` of a running stack: `nox -s screenshots`."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from scripts import commands
from scripts.loopback import ask
from scripts.stack.settings import ROOT, Settings
from scripts.stack.verify import QUERY

FOLDER = ROOT / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
# Without these a browser asks its maker's servers for things before it draws a page.
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


def pages(settings: Settings) -> dict[str, tuple[str, str]]:
    """Return the pictures: name to address, and a height in pixels."""
    mlflow, api = settings.url("mlflow-server"), settings.url("mlops-api")
    champion = _champion()
    run, experiment = champion["run_id"], _experiment(mlflow, champion["model"])
    runs = f"{mlflow}/#/experiments/{experiment}/runs"
    return {
        "mlflow-experiments": (f"{mlflow}/#/experiments{QUERY}", "700"),
        "mlflow-runs": (f"{runs}{QUERY}", "950"),
        "mlflow-run": (f"{runs}/{run}{QUERY}", "1100"),
        "mlflow-plot": (
            f"{runs}/{run}/artifacts/predicted_vs_true.png{QUERY}",
            "850",
        ),
        "mlflow-models": (f"{mlflow}/#/models{QUERY}", "600"),
        "mlflow-versions": (f"{mlflow}/#/models/{champion['model']}{QUERY}", "700"),
        "api-docs": (f"{api}/docs", "1500"),
        "api-redoc": (f"{api}/redoc", "1100"),
        "api-dashboard": (f"{api}/dashboard", "1000"),
    }


def _champion() -> dict[str, Any]:
    folder = ROOT / "mlruns" / "registry" / "housing"
    entries = [json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")]
    newest: dict[str, Any] = max(entries, key=lambda entry: entry["version"])
    return newest


def _experiment(mlflow: str, name: str) -> str:
    address = f"{mlflow}/api/2.0/mlflow/experiments/get-by-name?experiment_name={name}"
    return str(ask(address)["experiment"]["experiment_id"])


def take(browser: str, address: str, height: str, file: Path) -> None:
    """Write a picture of a page, 1,500 pixels wide, once it has settled."""
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, *QUIET, f"--user-data-dir={profile}"]
        command += [f"--window-size=1500,{height}"]
        command += [f"--virtual-time-budget={SETTLE_MS}", f"--screenshot={file}"]
        subprocess.run(
            [*command, address], check=True, capture_output=True, timeout=180
        )


def main(
    port_offset: Annotated[
        int, typer.Option(metavar="N", help="What is added to every port.")
    ] = 0,
) -> None:
    """Take all pictures of the stack that runs."""
    settings = Settings.read(port_offset)
    browsers = [program for name in BROWSERS if (program := shutil.which(name))]
    if not browsers:
        names = ", ".join(BROWSERS)
        raise commands.fail(f"no browser found: install one of {names}.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (address, height) in pages(settings).items():
        take(browsers[0], address, height, FOLDER / f"{name}.png")
        print(f"docs/images/{name}.png")


if __name__ == "__main__":
    sys.exit(commands.run(main))
