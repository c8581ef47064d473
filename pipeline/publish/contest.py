"""The challengers of a bundle against the champions at the tip of a branch."""

from pathlib import Path

from core.errors import PipelineError
from core.file_names import MODEL
from core.files import sha256_file
from core.onnx_model import OnnxModel
from history import History, Promotion
from pipeline import tasks
from pipeline.bundle import Bundle
from pipeline.data import table as tables
from pipeline.data.validate import validate
from pipeline.publish import earlier_challengers
from pipeline.publish.gate import Decision, decide
from pipeline.repo import Repo
from pipeline.report import day_summaries

ALL_FAILED = (
    "every candidate failed to train; the tag `failure` of the parent run gives the"
    " reasons"
)


class Contest:
    """Decides for each task of a bundle whether its challenger is promoted.

    After a lost race the champions, and so the decisions, are usually the same: each
    decision is made once per champion and number of its challengers.
    """

    def __init__(self, folder: Path, bundle: Bundle) -> None:
        self.folder = folder
        self.bundle = bundle
        self.trained = History.open(folder / "mlruns")
        self._decisions: dict[tuple[str, str, int], Decision] = {}

    def decide(self, name: str, tip: Repo, history: History) -> Decision:
        """Compare a task's challenger with the champion at the tip.

        Raises:
            PipelineError: the model in service is not the registry's champion.
        """
        champion = history.champion(name)
        served = _served(tip, name, champion)
        digest = champion.sha256 if champion else ""
        earlier = self._earlier(name, tip, history)
        key = (name, digest, earlier)
        if key not in self._decisions:
            self._decisions[key] = self._compare(name, served, earlier)
        return self._decisions[key]

    def _earlier(self, name: str, tip: Repo, history: History) -> int:
        """Return how many other challengers the champion met on the hold-out."""
        champion = history.champion(name)
        if champion is None:
            return 0
        summaries = day_summaries.folder(tip)
        compared = earlier_challengers.compared(history, champion, summaries)
        challenger = self.bundle.tasks[name].challenger
        if challenger:
            compared.discard(challenger.sha256)
        return len(compared)

    def _compare(self, name: str, served: bytes | None, earlier: int) -> Decision:
        challenger = self.bundle.tasks[name].challenger
        if challenger is None:
            return Decision(False, ALL_FAILED, [])
        task = tasks.load(name)
        files = self.trained.model_folder(challenger.run_id, challenger.model_id)
        path = self.folder / "holdout" / f"{name}.csv.gz"
        rows = tables.read(path)
        holdout = validate(task, rows, path.name)
        model = OnnxModel(files / MODEL)
        champion = OnnxModel(served) if served else None
        return decide(task, challenger, model, champion, holdout, earlier)


def _served(tip: Repo, name: str, champion: Promotion | None) -> bytes | None:
    """Return a task's ONNX file as it is served at the tip; None before the first one.

    Raises:
        PipelineError: it is not the registry's champion.
    """
    if champion is None:
        return None
    model = tip.models / name / MODEL
    is_champion = model.is_file() and sha256_file(model) == champion.sha256
    if not is_champion:
        path = model.relative_to(tip.root).as_posix()
        raise PipelineError(
            f"{path} is not version {champion.version}, the champion in the registry:"
            " check out the tip of the branch and run `pipeline history verify`, which"
            " reports how to repair it."
        )
    return model.read_bytes()
