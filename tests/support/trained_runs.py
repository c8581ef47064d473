"""A Git repository with runs of iris, as trainings at its commits would have left them."""

from functools import cache
from pathlib import Path
from typing import Any

from core.file_names import MANIFEST, MODEL
from core.git import git
from core.onnx_model import OnnxModel
from history.registry import Promotion
from history.runfile import Run
from pipeline import tasks
from pipeline.data import fetch as data
from pipeline.data import table as tables
from pipeline.recorded_run import COMMIT_TAG, DATA_TAG
from pipeline.repo import Repo
from pipeline.train import estimators, evaluate, export
from tests.support import factories
from tests.support.history_factories import (
    STARTED,
    Workspace,
    add_run,
    model_id,
    new_workspace,
    promote,
)

TASK = tasks.load("iris")
FEATURES = list(TASK.features)
SEED = 7
SHARE = 0.25
PICTURE = b"\x89PNG\r\n\x1a\n not a real picture"
# A forest is fitted in a few milliseconds.
SMALL = {"n_estimators": 3, "min_samples_leaf": 2}
LARGER = {"n_estimators": 9, "min_samples_leaf": 1}
# The content of each file by its name; the points of each metric.
Files = dict[str, bytes]
Metrics = dict[str, list[tuple[float, int, int]]]


class TrainedRuns:
    """A checkout whose history grows by trainings.

    Attributes:
        repo: the checkout.
        workspace: the same for the factories of histories.
    """

    def __init__(self, folder: Path) -> None:
        """Make a repository with one commit, which has the snapshot of iris."""
        self.workspace: Workspace = new_workspace(folder)
        self.repo = Repo.open(folder)
        (folder / ".gitignore").write_text("build/\n")
        (folder / "requirements").mkdir()
        (folder / "requirements" / "pipeline.txt").write_text("# no package\n")
        tables.write(folder / "data" / "iris.csv.gz", fetch_bundled().table)
        git(folder, "init", "--quiet", "-b", "main")
        self.commit("feat: begin")

    def commit(self, message: str) -> str:
        """Commit all changes, at the time when the runs of the factories started."""
        git(self.repo.root, "add", "--all")
        identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
        seconds = f"{STARTED // 1000} +0000"
        git(
            self.repo.root,
            *identity,
            "commit",
            "--quiet",
            "--allow-empty",
            "--message",
            message,
            variables={"GIT_COMMITTER_DATE": seconds, "GIT_AUTHOR_DATE": seconds},
        )
        return self.head

    @property
    def head(self) -> str:
        """The newest commit."""
        return git(self.repo.root, "rev-parse", "HEAD")

    def train(
        self,
        parameters: dict[str, Any],
        keep: bool = True,
        tags: dict[str, str] | None = None,
    ) -> tuple[Run, Run]:
        """Fit a forest, and record its run and that of its training at HEAD.

        Args:
            parameters: the hyperparameters of the forest.
            keep: whether the history keeps its model.
            tags: tags of the training that are changed.

        Returns:
            The run of the training, and that of the candidate.
        """
        training = self._add_training(tags or {})
        files, metrics = _fit(tuple(parameters.items()))
        algorithm = {"algorithm": "random_forest"}
        texts = {name: str(value) for name, value in parameters.items()}
        candidate = add_run(
            self.repo.mlruns,
            {"evaluation.png": PICTURE},
            {model_id(): files} if keep else None,
            experiment="iris",
            name="random_forest",
            parent=training.run_id,
            params=algorithm | texts,
            metrics=metrics,
            tags={COMMIT_TAG: self.head},
        )
        return training, candidate

    def _add_training(self, tags: dict[str, str]) -> Run:
        usual = {
            COMMIT_TAG: self.head,
            DATA_TAG: fetch_bundled().digest,
            "version.python": "3.11.7",
        }
        params = {
            "seed": str(SEED),
            "holdout_share": str(SHARE),
            "exclude": "none",
            "challenger": "random_forest",
        }
        return add_run(
            self.repo.mlruns,
            experiment="iris",
            name="iris",
            params=params,
            metrics={},
            tags=usual | tags,
        )

    def promote(self, run: Run) -> Promotion:
        """Promote a candidate's run as the next version of iris."""
        return promote(self.workspace, run, "iris")


@cache
def _fit(parameters: tuple[tuple[str, Any], ...]) -> tuple[Files, Metrics]:
    """Return the files of a forest's model, and its metrics on the hold-out."""
    table = fetch_bundled().table
    held = tables.in_holdout(TASK, table, SHARE)
    train = table[~held]
    forest = estimators.build(
        TASK.kind, "random_forest", dict(parameters), FEATURES, SEED
    )
    truth = evaluate.encode(TASK, train)
    fitted = forest.fit(estimators.as_inputs(FEATURES, train), truth)
    content = export.to_onnx(TASK, FEATURES, fitted)
    evidence = factories.challenger(TASK, OnnxModel(content), table[held], fitted)
    manifest = factories.manifest(TASK, evidence, content)
    metrics = {"fit_seconds": [(0.1, 0, 0)]}
    for name, value in evidence.holdout.items():
        metrics[f"holdout_{name}"] = [(value, 0, 0)]
    files = {MODEL: content, MANIFEST: manifest.encode()}
    return files, metrics


@cache
def fetch_bundled() -> data.Dataset:
    """Return iris as scikit-learn brings it along."""
    return data.fetch(TASK, Repo(Path("nowhere")))
