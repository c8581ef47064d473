"""What an MLflow store holds in addition to runs and their models."""

from pathlib import Path

from core.counts import counted
from core.file_names import MODEL
from history import registry
from history.mlflow_source import Store

TRACES_PER_PAGE = 500
VERSIONS_LISTED = 10


def notices(store: Store, mlruns: Path) -> list[str]:
    """Return a sentence for each kind of content that is not imported."""
    sentences = []
    prompts = store.pages(store.client.search_prompts)
    counts = {
        "trace": _count_traces(store),
        "prompt": sum(1 for _ in prompts),
    }
    parts = []
    for kind, count in counts.items():
        if count:
            parts.append(counted(count, kind))
    if parts:
        content = " and ".join(parts)
        sentences.append(
            f"The store also holds {content}; the history keeps only runs and their"
            " models."
        )
    versions = _versions(store, mlruns)
    if versions:
        sentences.append(_notice_of_versions(versions))
    return sentences


def _notice_of_versions(versions: list[str]) -> str:
    listed = ", ".join(versions[:VERSIONS_LISTED])
    more = len(versions) - VERSIONS_LISTED
    if more > 0:
        listed += f" and {more} more"
    noun = "registered model version"
    count = counted(len(versions), f"{noun} is", f"{noun}s are")
    return (
        f"{count} not imported ({listed}): a version in the history is the"
        f" promotion of a run's `{MODEL}`, and `History.promote` adds it."
    )


def _count_traces(store: Store) -> int:
    traces = store.pages(
        store.client.search_traces,
        size=TRACES_PER_PAGE,
        locations=store.experiments,
        include_spans=False,
    )
    return sum(1 for _ in traces)


def _versions(store: Store, mlruns: Path) -> list[str]:
    """Return the registered versions that are not imported, such as `churn/1`.

    A version that is in the history's own registry, or that a build shows there, is not
    among them.
    """
    versions = []
    for version in store.pages(store.client.search_model_versions):
        number = int(version.version)
        path = registry.path_of(mlruns, version.name, number)
        if number != registry.CHALLENGER and not path.is_file():
            versions.append((version.name, number))
    versions.sort()
    return [f"{name}/{number}" for name, number in versions]
