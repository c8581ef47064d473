"""Takes the pictures in `docs/images/` of a running stack: `nox -s screenshots`."""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from scripts import console
from scripts.stack.settings import ROOT, Settings
from scripts.stack.verify import QUESTION, ask

FOLDER = ROOT / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
# Without these a browser asks its maker's servers for this and that before it draws
# anything.
QUIET = [
    *(
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--hide-scrollbars",
    ),
    *(
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ),
]
SETTLE_MS = 25_000


def pages(settings: Settings) -> dict[str, tuple[str, str]]:
    """Return the pictures: name to address, and a height in pixels."""
    mlflow, api = settings.url("mlflow-server"), settings.url("mlops-api")
    champion = _champion()
    run, experiment = champion["run_id"], _experiment(mlflow, champion["model"])
    runs = f"{mlflow}/#/experiments/{experiment}/runs"
    return {
        "mlflow-experiments": (f"{mlflow}/#/experiments{QUESTION}", "700"),
        "mlflow-runs": (f"{runs}{QUESTION}", "950"),
        "mlflow-run": (f"{runs}/{run}{QUESTION}", "1100"),
        "mlflow-plot": (
            f"{runs}/{run}/artifacts/predicted_vs_true.png{QUESTION}",
            "850",
        ),
        "mlflow-models": (f"{mlflow}/#/models{QUESTION}", "600"),
        "mlflow-versions": (f"{mlflow}/#/models/{champion['model']}{QUESTION}", "700"),
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
        command = [
            browser,
            *QUIET,
            f"--user-data-dir={profile}",
            f"--window-size=1500,{height}",
        ]
        command += [
            f"--virtual-time-budget={SETTLE_MS}",
            f"--screenshot={file}",
            address,
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=180)


def main() -> int:
    """Take all pictures of the stack at a port offset."""
    parser = argparse.ArgumentParser(description=console.first_line(__doc__))
    parser.add_argument("--port-offset", type=int, default=0, metavar="N")
    settings = Settings.read(parser.parse_args().port_offset)
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print(
            f"error: no browser found: install one of {', '.join(BROWSERS)}.",
            file=sys.stderr,
        )
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (address, height) in pages(settings).items():
        take(browser, address, height, FOLDER / f"{name}.png")
        print(f"docs/images/{name}.png")
    return 0


if __name__ == "__main__":
    sys.exit(console.run(main))
