"""The stage `train`: fit, cross-validate and export every candidate."""

from rich.console import Console

from core.counts import counted
from core.errors import PipelineError
from core.files import write_atomic
from pipeline.cluster import settings as cluster_settings
from pipeline.params import Params
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.stages import candidate_files, features
from pipeline.stages.candidate_files import Timed
from pipeline.stages.files import replacing_folder
from pipeline.stages.folder import StageFolder
from pipeline.train.backend import open_cluster
from pipeline.train.candidates import Candidate, Failure
from pipeline.train.fitting import fit
from pipeline.train.row_limits import within_limits


def run(repo: Repo, task: Task, settings: Params) -> str:
    """Write every candidate with its ONNX file; return a sentence about them.

    Raises:
        UsageError: the stage `features` has not been run, or a variable of the cluster
            holds something else than it should.
        PipelineError: there are too few rows, or every candidate failed.
    """
    folder = StageFolder(repo, task.name)
    data = features.load(task, settings, folder)
    section = settings.tasks[task.name]
    chosen = within_limits(task.name, section, len(data.train))
    address = cluster_settings.address()
    tables = cluster_settings.tables()
    console = Console(stderr=True)
    with open_cluster(address, tables) as cluster:
        fitted = list(fit(data, chosen, cluster, console))
    timed = [Timed(result, began) for result, began in fitted]
    results = [result for result, _ in fitted]
    _require_one(task, results)
    with replacing_folder(folder.candidates) as unfinished:
        candidate_files.write(unfinished, results)
    timings = candidate_files.render_timings(timed)
    write_atomic(folder.timings, timings)
    failed = [result.algorithm for result in results if isinstance(result, Failure)]
    trained = counted(len(results) - len(failed), "candidate is", "candidates are")
    sentence = f"{task.name}: {trained} trained"
    if failed:
        names = ", ".join(failed)
        sentence += f", {names} failed"
    return sentence


def _require_one(task: Task, results: list[Candidate | Failure]) -> None:
    reasons = []
    for result in results:
        if isinstance(result, Candidate):
            return
        reason = result.reason.rstrip(".")
        reasons.append(f"{result.algorithm}: {reason}")
    listed = "; ".join(reasons)
    raise PipelineError(
        f"{task.name}: every candidate failed ({listed}): correct"
        f" tasks.{task.name}.candidates in params.yaml."
    )
