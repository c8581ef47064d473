"""What Prometheus learns of `--follow`: a file that Node Exporter reads."""

import time

from core.files import write_atomic
from scripts.stack.settings import ROOT

# The folder of Node Exporter's textfile collector.
PATH = ROOT / "logs" / "containers.prom"
TEXT = """\
# HELP release_containers_in_sync Whether containers and images are those of the release
# TYPE release_containers_in_sync gauge
release_containers_in_sync {in_sync}
# HELP release_container_drifts_total Checks that found containers or images changed
# TYPE release_container_drifts_total counter
release_container_drifts_total {drifts}
# HELP release_containers_checked_timestamp_seconds When containers and images were last checked
# TYPE release_containers_checked_timestamp_seconds gauge
release_containers_checked_timestamp_seconds {checked}
"""


class ContainerMetrics:
    """The metrics of a process that keeps containers."""

    def __init__(self) -> None:
        self._drifts = 0

    def count_drift(self) -> None:
        """Count a check that found a difference."""
        self._drifts += 1

    def write(self, in_sync: bool) -> None:
        """Write the metrics of a check that has ended now."""
        text = TEXT.format(
            in_sync=int(in_sync), drifts=self._drifts, checked=int(time.time())
        )
        write_atomic(PATH, text)

    def remove(self) -> None:
        """Remove the metrics: nobody checks any more, on purpose."""
        PATH.unlink(missing_ok=True)
