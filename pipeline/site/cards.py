"""The versions of a model with their manifests and plots, from the history."""

import shutil
from contextlib import suppress
from pathlib import Path

from core.manifest import TrainedManifest
from history import History, Promotion, layout
from pipeline.site.data_profile import ModelVersion

MANIFEST = "manifest.json"
PLOTS = "plots"
MOST_BYTES = 200_000  # of a plot that a page shows


def read(history: History, promotion: Promotion) -> ModelVersion:
    """Return a version of a model.

    Raises:
        PipelineError: its manifest is damaged.
    """
    folder = history.model_folder(promotion.run_id, promotion.model_id)
    manifest = None
    with suppress(FileNotFoundError):
        manifest = TrainedManifest.read(folder / MANIFEST)
    return ModelVersion(promotion, manifest)


def copy_plots(
    history: History, promotion: Promotion, site: Path, name: str
) -> list[tuple[str, str]]:
    """Copy the plots of a version's run below a site.

    Args:
        name: the start of the copies' names.

    Returns:
        The link to each copy, and a text that says what it shows.
    """
    plots: list[tuple[str, str]] = []
    run = history.run(promotion.run_id)
    source = history.folder(promotion.run_id) / layout.ARTIFACTS
    for artifact in run.artifacts:
        path = source / artifact.path
        is_plot = path.suffix == ".png" and artifact.size <= MOST_BYTES
        if not is_plot or not path.is_file():
            continue
        number = len(plots) + 1
        link = f"{PLOTS}/{name}-{number}.png"
        copy = site / link
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, copy)
        text = path.stem.replace("_", " ")
        plots.append((link, text))
    return plots
