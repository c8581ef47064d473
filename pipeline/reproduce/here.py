"""Makes a run again with the code and the packages of today, and compares predictions."""

import math
import platform

from core.file_names import MODEL
from core.onnx_model import OnnxModel
from history.runfile import Run
from pipeline import code_version, tasks
from pipeline.data import by_digest
from pipeline.recorded_run import RecordedRun
from pipeline.repo import Repo
from pipeline.reproduce.again import PYTHON_TAG, require_training
from pipeline.reproduce.result import Difference, Reproduction
from pipeline.reproduce.results import VERSIONS
from pipeline.train import evaluate, export, past_run
from pipeline.train.compare_refit import TOLERANCE
from pipeline.train.refit import RefittedModel, refit_on

METRIC = "holdout_"


def reproduce(repo: Repo, recorded: RecordedRun) -> Reproduction:
    """Fit the run's candidate on its data in this process, and compare the predictions.

    They may differ by the task's tolerance. Without the run's ONNX file, its metrics on
    the hold-out are compared.

    Raises:
        UsageError: the run's task is not one of this checkout.
        PipelineError: `pipeline train` did not make the run, or nobody has its data.
    """
    training = require_training(recorded)
    task = tasks.load(recorded.task)
    past = past_run.of(recorded.run, training, recorded.folder)
    content = by_digest.find(repo, task.name, past.data_digest, download=True)
    table = by_digest.read(task, content, f"the data of {recorded.title}")
    refitted = refit_on(task, past, table)
    comparison = _Comparison(refitted)
    if recorded.model_folder:
        comparison.compare_predictions(OnnxModel(recorded.model_folder / MODEL))
    else:
        comparison.compare_metrics()
    return Reproduction(
        title=recorded.title,
        run_id=training.run_id if recorded.is_training else recorded.run.run_id,
        commit=recorded.commit,
        how="with the code and the packages of today",
        equal=comparison.equal,
        differences=comparison.differences,
        conditions=_conditions(training),
    )


class _Comparison:
    """The comparison of a model that was fitted again with the one of its run."""

    def __init__(self, refitted: RefittedModel) -> None:
        self.equal: list[str] = []
        self.differences: list[Difference] = []
        self._refitted = refitted

    def compare_predictions(self, original: OnnxModel) -> None:
        """Compare the predictions with those of the run's ONNX file."""
        refitted = self._refitted
        parity = export.parity(
            refitted.task,
            refitted.pipeline,
            original,
            refitted.inputs,
        )
        if parity.mismatches:
            difference = Difference(
                f"predictions for {parity.mismatches} of {parity.rows} rows held out",
                f"within {parity.tolerance:g}",
                f"up to {parity.largest_difference:g} apart",
            )
            self.differences.append(difference)
            return
        self.equal.append(
            f"the predictions for all {parity.rows} rows held out, within"
            f" {parity.tolerance:g}"
        )
        if original.sha256 == OnnxModel(refitted.onnx).sha256:
            self.equal.append("the ONNX file, byte for byte")

    def compare_metrics(self) -> None:
        """Compare the metrics on the hold-out with those that the run recorded."""
        refitted = self._refitted
        truth = evaluate.encode(refitted.task, refitted.holdout)
        predictions = OnnxModel(refitted.onnx).predict(refitted.inputs)
        metrics = evaluate.metrics(refitted.task, truth, predictions)
        for name, value in metrics.items():
            recorded = refitted.past.run.latest(METRIC + name)
            if recorded is None:
                continue
            if math.isclose(recorded, value, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
                self.equal.append(f"{name} on the rows held out")
            else:
                difference = Difference(
                    f"metric {METRIC}{name}", f"{recorded:.6g}", f"{value:.6g}"
                )
                self.differences.append(difference)


def _conditions(training: Run) -> list[Difference]:
    """Return which versions are others today than those of the run."""
    today = {PYTHON_TAG: platform.python_version()}
    versions = code_version.describe()
    for library in code_version.LIBRARIES:
        today[VERSIONS + library] = versions[library]
    differences = []
    for name, version in sorted(today.items()):
        recorded = training.tags.get(name, version)
        if recorded != version:
            what = name.removeprefix(VERSIONS)
            differences.append(Difference(what, recorded, version))
    return differences
