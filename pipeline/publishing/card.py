"""`MODEL_CARD.md`: what a model is for, how good it is, where it is worst, how it came to serve."""

from datetime import UTC, datetime
from typing import Any

from pipeline.history.registry import Promotion
from pipeline.report.leaderboard import table

MEASURED = ("metric", "hold-out", "95 % interval", "cross-validation", "baseline")


def render(manifest: dict[str, Any], promotion: Promotion) -> str:
    """Return the card of a version in service, as Markdown."""
    metric, data, target = manifest["metric"]["name"], manifest["data"], manifest["target"]
    since = datetime.fromtimestamp(promotion.promoted / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    instead = f", in place of version {promotion.replaces}" if promotion.replaces else ""
    facts = [
        ("Predicts", f"{target['description']}: {', '.join(target['classes']) or target['unit']}"),
        ("Algorithm", f"`{manifest['algorithm']}`"),
        ("In service since", since),
        ("Run", f"`{promotion.run_id}`"),
        ("Trained from commit", f"`{promotion.commit[:12]}`"),
        ("File", f"`model.onnx`, {promotion.size:,} bytes, sha256 `{promotion.sha256}`"),
    ]
    features = [
        (f"`{feature['name']}`", feature["unit"], _allowed(feature), feature["description"])
        for feature in manifest["features"]
    ]
    slices = [
        (f"`{part['feature']}`", part["part"], str(part["rows"]), f"{part[metric]:.4g}")
        for part in manifest["slices"]
    ]
    checks = [
        (check.name, "yes" if check.passed else "no", check.detail) for check in promotion.checks
    ]
    limits = "\n".join(f"- {limit}" for limit in manifest["limits"])
    return f"""# {manifest["title"]}: version {promotion.version}

{manifest["description"]}
{table(("", ""), facts)}

## What it is given
{table(("feature", "unit", "allowed", "meaning"), features)}

## Data
{data["rows"]:,} rows from {data["source"]} (licence: {data["licence"]}), sha256 of the table
`{data["digest"]}`. {manifest["holdout"]["rows"]:,} of them, chosen by their content, were held out
of all training; the numbers below are measured on these.

## How good it is
{table(MEASURED, _metrics(manifest))}

## Where it is worst
{table(("feature", "part", "rows", metric), slices)}

## Limits
{limits}

## How it came to be champion
Promoted by {promotion.decided_by}{instead}: {promotion.reason}.
{table(("check", "passed", "numbers"), checks)}
"""


def _allowed(feature: dict[str, Any]) -> str:
    if feature["categories"]:
        return ", ".join(feature["categories"])
    return f"{feature['low']:g} to {feature['high']:g}"


def _metrics(manifest: dict[str, Any]) -> list[tuple[str, ...]]:
    folds, baseline = manifest["cross_validation"]["metrics"], manifest["baseline"] or {}
    rows: list[tuple[str, ...]] = []
    for name, measured in sorted(manifest["holdout"]["metrics"].items()):
        interval = f"{measured['low']:.4g} to {measured['high']:.4g}"
        spread = folds.get(f"{name}_std")  # kept of the metric that the task is judged by
        cross = f"{folds[f'{name}_mean']:.4g}" + (f" ± {spread:.2g}" if spread is not None else "")
        dummy = f"{baseline[name]:.4g}" if name in baseline else ""
        rows.append((name, f"{measured['value']:.4g}", interval, cross, dummy))
    return rows
