"""Where the stages of a task keep their files, as `dvc.yaml` lists them."""

from pathlib import Path

from pipeline.repo import Repo

OUTPUTS = Path("build", "dvc")
# Files whose text is a SHA-256: `dvc.lock` has the MD5 of that text.
TABLE_DIGEST = "table.sha256"
MODEL_DIGEST = "model.sha256"


class StageFolder:
    """The outputs of the stages of one task.

    Attributes:
        table: the validated table.
        table_digest: the SHA-256 of the table as canonical CSV.
        source: where the table is from.
        train: the rows to train on.
        holdout: the rows held out.
        features: the names of the features that are used.
        candidates: a folder with each candidate's result and ONNX file.
        timings: when each candidate was trained, and how long what took.
        model: the challenger's ONNX file.
        model_digest: its SHA-256.
        manifest: the challenger's manifest.
        metrics: the challenger's metrics.
        plots: a folder with tables and a picture to plot.
        artifacts: a folder with each candidate's artifacts.
        checks: the results of the checks that need no champion.
        bundle: the bundle of this task.
    """

    def __init__(self, repo: Repo, task: str) -> None:
        # Not below `repo.build`, which a variable may move away from where DVC looks.
        outputs = repo.root / OUTPUTS
        folder = outputs / task
        self.table = folder / "table.csv.gz"
        self.table_digest = folder / TABLE_DIGEST
        self.source = folder / "source.json"
        self.train = folder / "train.csv.gz"
        self.holdout = folder / "holdout.csv.gz"
        self.features = folder / "features.json"
        self.candidates = folder / "candidates"
        self.timings = folder / "timings.json"
        self.model = folder / "model.onnx"
        self.model_digest = folder / MODEL_DIGEST
        self.manifest = folder / "manifest.json"
        self.metrics = folder / "metrics.json"
        self.plots = folder / "plots"
        self.artifacts = folder / "artifacts"
        self.checks = folder / "checks.json"
        self.bundle = outputs / "bundle" / task
