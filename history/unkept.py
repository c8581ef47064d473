"""What an MLflow store holds beside its runs, none of which the history keeps."""

from collections.abc import Iterator
from pathlib import Path

from history import registry
from history.mlflow_source import Store

TRACES_A_PAGE = 500


def sentence(store: Store, mlruns: Path) -> str | None:
    """Return how many traces, prompts and registered versions are not kept; None if
    there are none.

    A version that is in the history's own registry is kept; one that a restore makes is
    no loss.
    """
    found = {kind: count for kind, count in _counts(store, mlruns) if count}
    if not found:
        return None
    listed = ", ".join(
        f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in found.items()
    )
    return (
        f"The store also holds {listed}; the history keeps runs and their models alone."
    )


def _counts(store: Store, mlruns: Path) -> Iterator[tuple[str, int]]:
    traces = store.pages(
        store.client.search_traces,
        size=TRACES_A_PAGE,
        locations=store.experiments,
        include_spans=False,
    )
    yield "trace", sum(1 for _ in traces)
    yield "prompt", sum(1 for _ in store.pages(store.client.search_prompts))
    versions = store.pages(store.client.search_model_versions)
    logged = [v for v in versions if int(v.version) != registry.CHALLENGER]
    kept = (registry.path_of(mlruns, v.name, int(v.version)).is_file() for v in logged)
    yield "registered model version", sum(not is_kept for is_kept in kept)
