"""The stage `validate`: what the challenger must meet whatever the champion is."""

from dataclasses import dataclass

from core.files import to_json, write_atomic
from core.manifest import Parity, TrainedManifest
from core.onnx_model import OnnxModel
from history.registry import Check
from pipeline.publish import gate
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.stages.files import read_json, require
from pipeline.stages.folder import StageFolder
from pipeline.train import behavioural_tests


@dataclass(frozen=True)
class Measured:
    """What the checks need to know of the challenger; see `gate.Measured`."""

    holdout: dict[str, float]
    parity: Parity
    size: int
    latency_ms: float


def run(repo: Repo, task: Task) -> str:
    """Check the challenger's file as the gate will, but without a champion.

    A check that fails ends nothing: the gate refuses the challenger later, and its run
    is kept.

    Returns:
        A sentence about the results.

    Raises:
        UsageError: a stage before it has not been run.
    """
    folder = StageFolder(repo, task.name)
    model = OnnxModel(require(folder.model).read_bytes())
    measured = _measured(folder, model)
    behaviours = behavioural_tests.run(task, model)
    checks = gate.thresholds(task, measured)
    checks += gate.of_the_file(task, measured)
    content = {
        "behaviours": [check.model_dump() for check in behaviours],
        "checks": [check.model_dump() for check in checks],
    }
    write_atomic(folder.checks, to_json(content))
    every = checks + behaviours
    failed = []
    for check in every:
        if not check.passed:
            failed.append(f"{check.name} ({check.detail})")
    if failed:
        listed = "; ".join(failed)
        return f"{task.name}: not passed: {listed}"
    return f"{task.name}: all {len(every)} checks are passed"


def read_behaviours(folder: StageFolder) -> list[Check]:
    """Return the results of the behavioural tests as this stage wrote them.

    Raises:
        UsageError: the stage has not been run.
    """
    entries = read_json(folder.checks)["behaviours"]
    return [Check.model_validate(entry) for entry in entries]


def _measured(folder: StageFolder, model: OnnxModel) -> Measured:
    manifest = TrainedManifest.read(require(folder.manifest))
    timings = read_json(folder.timings)[manifest.algorithm]
    assert manifest.parity
    holdout = {}
    for name, metric in manifest.holdout.metrics.items():
        holdout[name] = metric.value
    return Measured(holdout, manifest.parity, model.size, timings["latency_ms"])
