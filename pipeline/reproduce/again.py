"""Makes a run again from its commit, lock file and data, and compares all bytes."""

from collections.abc import Callable
from pathlib import Path

from core.errors import PipelineError
from core.file_names import MODEL
from core.files import sha256_file
from history import History, layout
from history.runfile import Run
from pipeline import recorded_run
from pipeline.compare.predictions import NotComparable, compare
from pipeline.data import by_digest
from pipeline.data import table as tables
from pipeline.data.unpack import unpacked
from pipeline.recorded_run import DATA_TAG, RecordedRun
from pipeline.repo import Repo
from pipeline.reproduce import environment, interpreter, programs, tolerance
from pipeline.reproduce.checkout import checkout, require_commit
from pipeline.reproduce.result import Reproduction
from pipeline.reproduce.results import (
    MODEL_DIGEST,
    NOTHING,
    Results,
    by_algorithm,
    compare_run,
    compare_training,
    conditions,
)

PYTHON_TAG = "version.python"
Report = Callable[[str], None]


def reproduce(
    repo: Repo, history: History, recorded: RecordedRun, report: Report
) -> Reproduction:
    """Train at the run's commit, in the environment of its lock file, on its data.

    The user's checkout is not touched. A run of a candidate is compared with the same
    candidate, the run of a training with all of them.

    Args:
        repo: the checkout.
        history: its history.
        recorded: the run.
        report: called with what is being done.

    Raises:
        PipelineError: it cannot be made again: `pipeline train` did not make it, or its
            commit, data or lock file cannot be had, or the training fails.
    """
    training = require_training(recorded)
    commit = recorded.commit
    require_commit(repo, commit)
    table = _table(repo, recorded.task, training)
    python = interpreter.choose(training.tags.get(PYTHON_TAG, ""))
    report(f"checking out {commit[:12]}")
    with checkout(repo, commit) as tree:
        _provide(table, tree / "data" / f"{recorded.task}.csv.gz")
        report(f"installing the lock file for Python {python.version}")
        program = environment.install(repo, tree, python)
        report(f"training {recorded.task} at {commit[:12]}")
        mlruns = _train(program, tree, recorded.task, tree.parent)
        with History.open(mlruns) as again:
            return _compare(repo, history, recorded, again, python.version)


def require_training(recorded: RecordedRun) -> Run:
    """Return the run of the training that a run was part of.

    Raises:
        PipelineError: there is none with what is needed to make it again.
    """
    training = recorded.training
    if training and DATA_TAG in training.tags and recorded.commit:
        return training
    raise PipelineError(
        f"{recorded.title} (run {recorded.run.run_id}) cannot be made again: it is not a"
        " run of `pipeline train`, which records the commit and the data."
    )


def _table(repo: Repo, task: str, training: Run) -> bytes:
    """Return the table of a training as its canonical CSV."""
    return by_digest.find(repo, task, training.tags[DATA_TAG], download=True)


def _provide(table: bytes, path: Path) -> None:
    """Make a table the snapshot that the training reads, if it is not that already."""
    if path.is_file() and unpacked(path.read_bytes()) == table:
        return
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(tables.packed(table))


def _train(program: Path, tree: Path, task: str, folder: Path) -> Path:
    """Train a task in a checkout, and return the folder of the new runs."""
    bundle = folder / "bundle"
    command = [str(program), "-m", "pipeline", "--repo", str(tree), "train"]
    options = ["--task", task, "--out", str(bundle)]
    # The user's own style of charts would change their bytes.
    variables = {"MPLCONFIGDIR": str(folder / "matplotlib")}
    failure = programs.run([*command, *options], tree, variables)
    if failure:
        raise PipelineError(
            f"the training of {task} at the run's commit fails today: {failure}."
        )
    return bundle / "mlruns"


def _compare(
    repo: Repo,
    history: History,
    recorded: RecordedRun,
    again: History,
    python: str,
) -> Reproduction:
    """Compare the runs of the history with those of the new training."""
    training = require_training(recorded)
    new_runs = list(again.runs(recorded.task))
    (new_training,) = [run for run in new_runs if run.parent is None]
    runs = [recorded.run]
    if recorded.is_training:
        runs = recorded_run.candidates(history, training)
    results = _compare_runs(recorded, runs, new_training, new_runs)
    models = {recorded_run.model_digest(run) for run in runs}
    predictions = ""
    if results.has_another_model:
        new = recorded_run.load(again, new_training, "the run made again")
        changed, predictions = _compare_predictions(repo, recorded, new)
        if changed:
            models.remove(recorded_run.model_digest(recorded.run))
    explained = tolerance.explain(results.differences, training, models)
    return Reproduction(
        title=recorded.title,
        run_id=training.run_id if recorded.is_training else recorded.run.run_id,
        commit=recorded.commit,
        how=f"with Python {python} and the packages of its lock file",
        equal=results.counts(),
        differences=explained.differing,
        tolerated=explained.tolerated,
        conditions=[*conditions(training, new_training), *explained.conditions],
        machine=explained.machine,
        predictions=predictions,
    )


def _compare_runs(
    recorded: RecordedRun, runs: list[Run], new_training: Run, new_runs: list[Run]
) -> Results:
    """Return the comparison of the runs of candidates, and that of their training.

    Args:
        recorded: the run that the user named.
        runs: that run, or all candidates of a training.
        new_training: the run of the new training.
        new_runs: it, and the runs of its candidates.
    """
    results = Results()
    training = require_training(recorded)
    compare_training(results, training, new_training)
    if recorded.is_training:
        compare_run(results, training, new_training, "training, ")
    new = by_algorithm(new_runs)
    for algorithm, run in by_algorithm(runs).items():
        of = f"{algorithm}, " if recorded.is_training else ""
        if algorithm in new:
            compare_run(results, run, new[algorithm], of)
        else:
            results.compare("run", {algorithm: run.run_id}, {})
    _compare_kept(results, recorded, new)
    return results


def _compare_kept(results: Results, recorded: RecordedRun, new: dict[str, Run]) -> None:
    """Compare the new model with the kept file, and with the entry of the registry."""
    algorithm = recorded.run.params.get(recorded_run.ALGORITHM, "")
    digest = NOTHING
    if algorithm in new:
        digest = recorded_run.model_digest(new[algorithm]) or NOTHING
    kept = {}
    if recorded.promotion:
        kept["in the registry"] = recorded.promotion.sha256
    own = recorded.folder / layout.MODELS
    for path in own.glob(f"*/{MODEL}"):
        kept["in the run's folder"] = sha256_file(path)
    again = dict.fromkeys(kept, digest)
    results.compare(MODEL_DIGEST, kept, again)


def _compare_predictions(
    repo: Repo, recorded: RecordedRun, new: RecordedRun
) -> tuple[int, str]:
    """Return how many predictions of the two models are far apart, and a sentence.

    The number is 0 if they cannot be compared, and the sentence says why.
    """
    try:
        predictions = compare(repo, recorded, new)
    except NotComparable as error:
        return 0, f"The predictions were not compared: {error}."
    allowed = tolerance.of_task(recorded.task)
    return predictions.changed, (
        f"{predictions.changed} of {predictions.rows} predictions for the rows held out"
        f" are further apart than the task's tolerance of {allowed:g}."
    )
