"""Makes the champions and one old run again, and compares them: `nox -s reproduce`.

The old run is drawn by lot from those of all trainings. A run whose commit this clone
does not have, such as those of the template in a copy of it, is left out with a
notice. The exit status is 1 if a run differs or cannot be made again.
"""

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from core.errors import PipelineError
from history import History
from pipeline.recorded_run import COMMIT_TAG
from pipeline.repo import Repo
from pipeline.reproduce.again import reproduce
from pipeline.reproduce.checkout import has_commit
from pipeline.run_finder import RunFinder
from pipeline.verification import open_history
from pipeline.workflow import notice
from scripts import commands
from scripts.ci.outputs import summarize

ROOT = Path(__file__).resolve().parent.parent
Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN|TASK[@VERSION]]...",
        help="The runs; by default the champions, and one by lot.",
    ),
]
Root = Annotated[Path, typer.Option(help="The repository's root.")]


def main(names: Names = None, repo: Root = ROOT) -> None:
    """Make runs again, and write what came out to the summary of the workflow's run."""
    checkout = Repo.open(repo)
    failed = []
    with open_history(checkout) as history:
        for name in names or list(chosen(checkout, history)):
            text, is_same = outcome(checkout, history, name)
            summarize(text)
            if not is_same:
                failed.append(name)
    if failed:
        raise commands.fail(
            f"{', '.join(failed)}: not the same when made again; see above."
        )


def chosen(repo: Repo, history: History) -> Iterator[str]:
    """Yield the champion of each task, and the training that the lot falls on."""
    for task in history.models():
        champion = history.champion(task)
        if champion:
            commit = history.run(champion.run_id).tags.get(COMMIT_TAG, "")
            if _is_here(repo, task, commit):
                yield task
    trainings = {}
    for summary in history.summaries():
        if summary.parent is None and "challenger" in summary.params:
            trainings[summary.run_id] = summary.tags.get(COMMIT_TAG, "")
    if trainings:
        drawn = random.SystemRandom().choice(sorted(trainings))
        if _is_here(repo, drawn, trainings[drawn]):
            yield drawn


def outcome(repo: Repo, history: History, name: str) -> tuple[str, bool]:
    """Make a run again; return the report, and whether nothing differs."""
    try:
        recorded = RunFinder(repo, history).one(name)
        result = reproduce(repo, history, recorded, _print)
    except PipelineError as error:
        return f"cannot: {name}: {error}", False
    return "\n".join(result.lines()), result.is_reproduced


def _is_here(repo: Repo, name: str, commit: str) -> bool:
    """Return whether this clone has a run's commit; else say that it is left out."""
    if commit and has_commit(repo, commit):
        return True
    notice(
        f"{name} is not made again",
        f"its commit {commit[:12]} is not in this clone",
    )
    return False


def _print(step: str) -> None:
    print(f"{step} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(commands.run(main))
