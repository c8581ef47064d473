"""Counts what an MLflow store holds in addition to runs, which is not imported."""

from pathlib import Path

from history import registry
from history.mlflow_source import Store

TRACES_PER_PAGE = 500


def sentence(store: Store, mlruns: Path) -> str | None:
    """Return a sentence about what is not imported, or None if there is nothing else.

    A version that is in the history's own registry, or that a build shows there, is no
    loss.
    """
    counts = {
        "trace": _traces(store),
        "prompt": sum(1 for _ in store.pages(store.client.search_prompts)),
        "registered model version": _versions(store, mlruns),
    }
    parts = []
    for kind, count in counts.items():
        if count:
            plural = "s" if count > 1 else ""
            parts.append(f"{count} {kind}{plural}")
    if not parts:
        return None
    return (
        f"The store also holds {', '.join(parts)}; the history keeps only runs and their"
        " models."
    )


def _traces(store: Store) -> int:
    traces = store.pages(
        store.client.search_traces,
        size=TRACES_PER_PAGE,
        locations=store.experiments,
        include_spans=False,
    )
    return sum(1 for _ in traces)


def _versions(store: Store, mlruns: Path) -> int:
    """Return the number of registered versions that the history does not hold."""
    count = 0
    for version in store.pages(store.client.search_model_versions):
        number = int(version.version)
        path = registry.path_of(mlruns, version.name, number)
        if number != registry.CHALLENGER and not path.is_file():
            count += 1
    return count
