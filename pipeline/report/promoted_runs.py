"""Checks that the runs which were promoted are there, since each report shows them."""

from core.errors import PipelineError
from history import History

BRING_RUNS = "bring the runs of a sparse checkout with `git sparse-checkout disable`"


def require(history: History) -> None:
    """Refuse a history without the runs that were promoted.

    Raises:
        PipelineError: a run is missing, as in a sparse checkout.
    """
    for model in history.models():
        for promotion in history.promotions(model):
            if promotion.run_id not in history:
                raise PipelineError(
                    f"{history.path} does not have the run {promotion.run_id} of"
                    f" {model} v{promotion.version}: {BRING_RUNS}."
                )
