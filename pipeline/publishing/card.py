"""`MODEL_CARD.md`: what a model is for, how good it is, where it is worst, how it came to serve."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from pipeline.history.registry import Promotion
from pipeline.report.markdown import table

Manifest = dict[str, Any]


def render(manifest: Manifest, promotion: Promotion) -> str:
    """Return the card of a version in service, as Markdown."""
    when = datetime.fromtimestamp(promotion.promoted / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    data = manifest["data"]
    return "\n".join(
        [
            f"# {manifest['title']}: version {promotion.version}",
            "",
            f"{manifest['description']}",
            "",
            *table(
                ("", ""),
                [
                    ("Predicts", _target(manifest["target"])),
                    ("Algorithm", f"`{manifest['algorithm']}`"),
                    ("In service since", when),
                    ("Run", f"`{promotion.run_id}`"),
                    ("Trained from commit", f"`{promotion.commit[:12]}`"),
                    (
                        "File",
                        f"`model.onnx`, {promotion.size:,} bytes, sha256 `{promotion.sha256}`",
                    ),
                ],
            ),
            "",
            "## What it is given",
            *table(("feature", "unit", "allowed", "meaning"), map(_feature, manifest["features"])),
            "",
            "## Data",
            f"{data['rows']:,} rows from {data['source']} (licence: {data['licence']}); sha256 of the "
            f"table `{data['digest'][:16]}…`. {manifest['holdout']['rows']:,} rows, chosen by their "
            "content, were held out of all training and are what the numbers below are measured on.",
            "",
            "## How good it is",
            *table(
                ("metric", "hold-out", "95 % interval", "cross-validation", "baseline"),
                _metrics(manifest),
            ),
            "",
            "## Where it is worst",
            *table(("feature", "part", "rows", manifest["metric"]["name"]), _slices(manifest)),
            "",
            "## Limits",
            *(f"- {limit}" for limit in manifest["limits"]),
            "",
            "## How it came to be champion",
            f"Promoted by {'the gate' if promotion.decided_by == 'gate' else 'hand'}"
            f"{f', in place of version {promotion.replaces}' if promotion.replaces else ''}: "
            f"{promotion.reason}.",
            "",
            *table(("check", "", "numbers"), _checks(promotion)),
            "",
        ]
    )


def _target(target: Manifest) -> str:
    if target["classes"]:
        return f"{target['description']}: {', '.join(target['classes'])}"
    return f"{target['description']} ({target['unit']})"


def _feature(feature: Manifest) -> tuple[str, ...]:
    allowed = (
        ", ".join(feature["categories"])
        if feature["categories"]
        else f"{feature['low']:g} to {feature['high']:g}"
    )
    return f"`{feature['name']}`", feature["unit"], allowed, feature["description"]


def _metrics(manifest: Manifest) -> Iterable[tuple[str, ...]]:
    folds = manifest["cross_validation"]["metrics"]
    baseline = manifest["baseline"] or {}
    for name, measured in sorted(manifest["holdout"]["metrics"].items()):
        yield (
            name,
            f"{measured['value']:.4g}",
            f"{measured['low']:.4g} to {measured['high']:.4g}",
            f"{folds[f'{name}_mean']:.4g} ± {folds[f'{name}_std']:.2g}",
            f"{baseline[name]:.4g}" if name in baseline else "",
        )


def _slices(manifest: Manifest) -> Iterable[tuple[str, ...]]:
    for part in manifest["slices"]:
        value = f"{part[manifest['metric']['name']]:.4g}"
        yield f"`{part['feature']}`", part["part"], str(part["rows"]), value


def _checks(promotion: Promotion) -> Iterable[tuple[str, ...]]:
    for check in promotion.checks:
        yield check.name, "yes" if check.passed else "no", check.detail
