"""The stage `features`: choose the features, and hold out the rows for judging."""

from core.counts import counted
from core.files import to_json, write_atomic
from pipeline.data import table as tables
from pipeline.params import Params
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.stages.files import read_json, read_table
from pipeline.stages.folder import StageFolder
from pipeline.train.split import Parts, split, training_data, used_names
from pipeline.train.training_data import TrainingData


def run(repo: Repo, task: Task, settings: Params) -> str:
    """Write the rows to train on and those held out; return a sentence about them.

    Raises:
        UsageError: the stage `prepare` has not been run.
    """
    folder = StageFolder(repo, task.name)
    table = read_table(task, folder.table)
    parts = split(task, table, settings.holdout_share)
    names = used_names(task, settings)
    tables.write(folder.train, parts.train)
    tables.write(folder.holdout, parts.holdout)
    write_atomic(folder.features, to_json({"features": names}))
    return (
        f"{task.name}: {counted(len(names), 'feature')},"
        f" {counted(len(parts.train), 'row')} to train on, {len(parts.holdout):,} held out"
    )


def load(task: Task, settings: Params, folder: StageFolder) -> TrainingData:
    """Return the rows and features as this stage wrote them, with the settings.

    Raises:
        UsageError: the stage has not been run.
    """
    parts = Parts(
        train=read_table(task, folder.train),
        holdout=read_table(task, folder.holdout),
    )
    names = read_json(folder.features)["features"]
    return training_data(task, parts, names, settings)
