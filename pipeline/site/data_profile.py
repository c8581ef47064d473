"""The data that the champions of a task were trained on: columns, and what changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.distributions import Distribution
from core.manifest import Feature, TrainedManifest
from history import Promotion
from pipeline.report.templates import day
from pipeline.site import data_drift, scripts

MOST_TABLES = 10  # of a task; the newest ones are compared


@dataclass(frozen=True)
class ModelVersion:
    """A version of a model: its promotion, and its manifest if that was kept."""

    promotion: Promotion
    manifest: TrainedManifest | None


@dataclass(frozen=True)
class Table:
    """A table that champions were trained on, by the manifest of the first of them."""

    version: int
    since: int
    digest: str
    manifest: TrainedManifest

    @property
    def columns(self) -> dict[str, Distribution]:
        """The distributions of the features and of the target on the hold-out."""
        return self.manifest.reference.features

    @property
    def title(self) -> str:
        """What a person knows the table by."""
        return f"v{self.version}, {day(self.since)}"


@dataclass(frozen=True)
class Column:
    """A feature in the newest table.

    Attributes:
        drift: the population stability index against the table before; None if there
            is none, or it did not have the feature.
    """

    feature: Feature
    distribution: Distribution
    drift: float | None


def tables(cards: list[ModelVersion]) -> list[Table]:
    """Return the different tables that champions were trained on, the newest last."""
    different: list[Table] = []
    for card in cards:
        manifest = card.manifest
        if manifest is None or manifest.data is None:
            continue
        digest = manifest.data.digest
        if different and different[-1].digest == digest:
            continue
        promotion = card.promotion
        table = Table(promotion.version, promotion.promoted, digest, manifest)
        different.append(table)
    return different[-MOST_TABLES:]


def columns(listed: list[Table]) -> Iterator[Column]:
    """Yield the features of the newest table."""
    newest = listed[-1]
    earlier = None
    if len(listed) > 1:
        earlier = listed[-2]
    for feature in newest.manifest.features:
        distribution = newest.columns.get(feature.name)
        if distribution is None:
            continue
        drift = _drift(feature.name, newest, earlier)
        yield Column(feature, distribution, drift)


def _drift(feature: str, newest: Table, earlier: Table | None) -> float | None:
    if earlier is None or feature not in earlier.columns:
        return None
    return data_drift.between(
        earlier.columns[feature],
        newest.columns[feature],
        earlier.manifest.reference.rows,
        newest.manifest.reference.rows,
    )


def write(folder: Path, slug: str, listed: list[Table]) -> None:
    """Write the data file of the charts: each feature in each of the tables."""
    content: list[dict[str, Any]] = []
    for table in listed:
        features = []
        for name, distribution in table.columns.items():
            chart = _chart(distribution)
            features.append([name, chart])
        content.append({"title": table.title, "features": features})
    scripts.write(folder, f"{slug}/profile", content)


def _chart(distribution: Distribution) -> dict[str, Any]:
    """Return shares of categories, or of numbers the share up to each edge."""
    if distribution.categories:
        return {"categories": distribution.categories, "shares": distribution.shares}
    shares = []
    for share in data_drift.cumulative(distribution):
        rounded = scripts.short_number(share)
        shares.append(rounded)
    return {"edges": distribution.edges, "shares": shares}
