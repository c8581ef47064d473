"""Prometheus metrics of the reconciler."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from history.metrics import serve
from pipeline.reconcile.reconciler import Outcome, Pass


class Metrics:
    """The metrics of a process that follows a release."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.in_sync = Gauge(
            "reconcile_in_sync",
            "Whether the release that the branch declares is in service",
            registry=self.registry,
        )
        self.passes = Counter(
            "reconcile_passes",
            "Passes of the reconciler by their outcome",
            ["outcome"],
            registry=self.registry,
        )
        self.drifts = Counter(
            "reconcile_drifts",
            "Passes that found the served files changed by somebody else and mended",
            registry=self.registry,
        )
        self.last_fetch = Gauge(
            "reconcile_last_fetch_timestamp_seconds",
            "When the repository was last read",
            registry=self.registry,
        )
        for outcome in Outcome:
            self.passes.labels(outcome.value)

    def count(self, result: Pass) -> None:
        """Show the result of a pass."""
        # While the repository is away, nobody knows what it declares.
        if result.outcome is not Outcome.ORIGIN_AWAY:
            self.in_sync.set(result.is_in_sync)
        self.passes.labels(result.outcome.value).inc()
        if result.mended:
            self.drifts.inc()
        if result.fetched:
            self.last_fetch.set_to_current_time()

    @classmethod
    def served(cls, host: str, port: int | None) -> "Metrics":
        """Return metrics that answer scrapes from now on, if there is a port.

        Raises:
            PipelineError: the address is not available.
        """
        metrics = cls()
        if port:
            serve(metrics.registry, host, port)
        return metrics
