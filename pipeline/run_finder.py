"""The run that a user means by a run ID, `TASK`, `TASK@VERSION` or a commit."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.errors import UsageError
from core.git import GitError, git
from history import History, layout
from history.registry import Promotion
from pipeline import recorded_run, tasks
from pipeline.recorded_run import COMMIT_TAG, RecordedRun
from pipeline.repo import Repo

SHORT_ID = 8
SHORT_COMMIT = 7
REMEDY = "`pipeline history list` shows the runs"
_VERSION = re.compile(r"v?([1-9][0-9]*)")
_RUN_ID = re.compile(r"[0-9a-f]{1,32}")


class RunFinder:
    """Finds the runs of a checkout by what users call them."""

    def __init__(self, repo: Repo, history: History) -> None:
        self._repo = repo
        self._history = history

    def one(self, name: str) -> RecordedRun:
        """Return the run that a run ID, `TASK` or `TASK@VERSION` means.

        Args:
            name: the first characters of a run ID are enough; `TASK` is its champion.

        Raises:
            UsageError: there is no such run, task or version.
        """
        recorded = self._by_name(name)
        if recorded:
            return recorded
        raise UsageError(
            f"{name!r} is neither a run of this history, nor a task, nor a version such"
            f" as iris@1: {REMEDY}."
        )

    def by_task(self, name: str) -> dict[str, RecordedRun]:
        """Return the runs that a name means, by task; `name` may also be a commit.

        A commit means the trainings that ran at it; if none did, it means the models
        that were in service in it.

        Raises:
            UsageError: there is no such run, task, version or commit, or the commit has
                neither.
        """
        recorded = self._by_name(name)
        if recorded:
            return {recorded.task: recorded}
        commit = self._commit(name)
        if commit is None:
            raise UsageError(
                f"{name!r} is neither a run of this history, nor a task, nor a version"
                f" such as iris@1, nor a commit of this clone: {REMEDY}."
            )
        runs = self._trained_at(commit) or self._in_service_at(commit)
        if not runs:
            short = commit[:SHORT_COMMIT]
            raise UsageError(
                f"the history has no run that was trained at commit {short}, and no"
                f" model was in service in it: {REMEDY}."
            )
        return runs

    def _by_name(self, name: str) -> RecordedRun | None:
        """Return what `one` does, or None if the name is neither of a task nor a run."""
        # A model of the registry may be of a task that is no longer here.
        models = set(tasks.names())
        models.update(self._history.models())
        if name in models:
            return self._champion(name)
        task, _, version = name.rpartition("@")
        if task in models:
            return self._version(task, version)
        if not self._starts_a_run_id(name):
            return None
        run = self._history.run(name)
        title = f"run {run.run_id[:SHORT_ID]}"
        return recorded_run.load(self._history, run, title)

    def _starts_a_run_id(self, name: str) -> bool:
        if not _RUN_ID.fullmatch(name):
            return False
        return any(run_id.startswith(name) for run_id in self._history.folders)

    def _champion(self, task: str) -> RecordedRun:
        champion = self._history.champion(task)
        if champion is None:
            raise UsageError(f"{task} has no champion yet: name a run by its ID.")
        return self._promoted(champion)

    def _version(self, task: str, text: str) -> RecordedRun:
        promotions = self._history.promotions(task)
        count = len(promotions)
        match = _VERSION.fullmatch(text)
        number = 0
        if match:
            number = int(match[1])
        if 1 <= number <= count:
            return self._promoted(promotions[number - 1])
        versions = "it has none yet"
        if count:
            versions = f"its versions are 1 to {count}"
        raise UsageError(f"{task} has no version {text!r}: {versions}.")

    def _promoted(self, promotion: Promotion, where: str = "") -> RecordedRun:
        run = self._history.run(promotion.run_id)
        model = promotion.model
        version = promotion.version
        title = f"{model} v{version}{where}"
        return recorded_run.load(self._history, run, title, promotion)

    def _commit(self, name: str) -> str | None:
        """Return the full name of a commit; None if there is no such one."""
        revision = f"{name}^{{commit}}"
        try:
            return git(self._repo.root, "rev-parse", "--verify", "--quiet", revision)
        except GitError:
            return None

    def _trained_at(self, commit: str) -> dict[str, RecordedRun]:
        """Return the newest training at a commit, by task."""
        since = self._day_before(commit)
        later = []
        for run_id, folder in self._history.folders.items():
            day = layout.date(folder.parent)
            if day >= since:
                later.append(run_id)
        short = commit[:SHORT_COMMIT]
        runs = {}
        for summary in self._history.summaries(later):
            is_candidate = summary.parent is not None
            if is_candidate or summary.tags.get(COMMIT_TAG) != commit:
                continue
            task = summary.experiment
            title = f"{task}, trained at {short}"
            run = self._history.run(summary.run_id)
            runs[task] = recorded_run.load(self._history, run, title)
        return runs

    def _day_before(self, commit: str) -> str:
        """Return the day before a commit: the clocks of two machines may differ."""
        seconds = git(self._repo.root, "show", "--no-patch", "--format=%ct", commit)
        committed = datetime.fromtimestamp(int(seconds), UTC)
        day = committed - timedelta(days=1)
        return day.date().isoformat()

    def _in_service_at(self, commit: str) -> dict[str, RecordedRun]:
        """Return the newest version that the registry had in a commit, by task."""
        folder = f"{self._history.location.name}/{layout.REGISTRY}/"
        options = ("-r", "-z", "--name-only", "--full-tree")
        output = git(self._repo.root, "ls-tree", *options, commit, "--", folder)
        newest: dict[str, int] = {}
        for name in output.split("\0")[:-1]:
            path = Path(name)
            task = path.parent.name
            version = int(path.stem)
            newest[task] = max(version, newest.get(task, 0))
        short = commit[:SHORT_COMMIT]
        where = f", in service at {short}"
        runs = {}
        for task, version in newest.items():
            promotions = self._history.promotions(task)
            promotion = promotions[version - 1]
            runs[task] = self._promoted(promotion, where)
        return runs
