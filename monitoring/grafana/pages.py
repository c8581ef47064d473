"""The files that Grafana reads, as the code has them."""

import json
from pathlib import Path

from monitoring.grafana import history, mlops, system

FOLDER = Path(__file__).resolve().parent / "dashboard-configs"


def pages() -> dict[Path, str]:
    """Return the dashboards' files with their texts."""
    boards = [module.build() for module in (mlops, system, history)]
    return {
        FOLDER / f"{board['uid']}.json": json.dumps(board, indent=1, sort_keys=True)
        + "\n"
        for board in boards
    }
