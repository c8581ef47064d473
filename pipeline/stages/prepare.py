"""The stage `prepare`: fetch a task's table and check every row."""

from core.counts import counted
from core.files import to_json, write_atomic
from pipeline.data import table as tables
from pipeline.data.fetch import Dataset, fetch
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.stages.files import read_json, read_table, require
from pipeline.stages.folder import StageFolder


def run(repo: Repo, task: Task) -> str:
    """Write the table and where it is from; return a sentence about it.

    Raises:
        Unavailable: no source has the data.
        PipelineError: a row breaks a rule.
    """
    folder = StageFolder(repo, task.name)
    dataset = fetch(task, repo)
    tables.write(folder.table, dataset.table)
    write_atomic(folder.table_digest, f"{dataset.digest}\n")
    source = {"origin": dataset.origin, "snapshot": dataset.snapshot}
    write_atomic(folder.source, to_json(source))
    return f"{task.name}: {counted(len(dataset.table), 'row')} of {dataset.origin}"


def load(task: Task, folder: StageFolder) -> Dataset:
    """Return the table as this stage wrote it.

    Raises:
        UsageError: the stage has not been run.
    """
    source = read_json(folder.source)
    return Dataset(
        table=read_table(task, folder.table),
        digest=require(folder.table_digest).read_text("utf-8").strip(),
        origin=source["origin"],
        snapshot=source["snapshot"],
    )
