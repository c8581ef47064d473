"""Checks of the capstone: what makes a project of machine learning whole."""

import json
import time
from typing import Any

from core.counts import counted
from course.check import Check
from course.copy import Copy
from course.grading import history, mutate, predict, probe, reproduce
from course.grading.probe import Api
from course.grading.result import Verdict, failed, passed
from course.grading.snapshot import Line
from course.lessons.lesson_14_capstone import project
from course.lessons.lesson_14_capstone.project import PAGE, Project

HEADINGS = ("## Question", "## Data", "## Result", "## Limits")
LEAST_WORDS = 120
LEAST_CANDIDATES = 3
LEAST_TRAININGS = 2
LEAST_BEHAVIOURS = 3
WINDOWS = 2
WINDOW_ROWS = 1000
LOG_SECONDS = 20
NEAR = 1e-4
DUMMY = "dummy"
Record = dict[str, Any]


class Described(Check):
    """Write `course/capstone.md`, and name your task as `capstone` in the answers."""

    name = (
        "described: a page says what is asked, with which data, and how well it works"
    )

    def run(self, copy: Copy) -> Verdict:
        """Look at the page."""
        mine = project.of(copy)
        if not copy.has(PAGE):
            return failed(f"the last commit has no file {PAGE}")
        lines = copy.text(PAGE, "HEAD").splitlines()
        for heading in HEADINGS:
            if heading not in lines:
                return failed(f"{PAGE} has no heading {heading}", ", ".join(HEADINGS))
        words = 0
        for line in lines:
            if not line.startswith("#"):
                words += len(line.split())
        if words < LEAST_WORDS:
            return failed(f"{PAGE} has {words} words", f"at least {LEAST_WORDS}")
        return passed(f"{mine.task}, {words} words")


class Tracked(Check):
    """Compare several candidates, change something, and publish again."""

    name = "tracked: several candidates were compared, more than once"
    requires = (Described,)

    def run(self, copy: Copy) -> Verdict:
        """Count trainings and candidates in the history."""
        mine = project.of(copy)
        trainings = len(mine.publications)
        candidates = len(_tried(mine))
        if trainings < LEAST_TRAININGS or candidates < LEAST_CANDIDATES:
            return failed(
                f"{counted(trainings, 'training')} and"
                f" {counted(candidates, 'candidate')} besides {DUMMY}",
                f"at least {LEAST_TRAININGS} and {LEAST_CANDIDATES}",
            )
        return passed(f"{trainings} trainings, {candidates} candidates")


def _tried(mine: Project) -> set[str]:
    """Return the names of the candidates that were trained, but for the baseline."""
    names = set()
    for each in mine.publications:
        for run in history.runs(mine.copy, each, mine.task):
            is_candidate = run.get("parent") is not None
            if is_candidate and run.get("status") == "FINISHED":
                names.add(str(run.get("name")))
    return names - {DUMMY}


class Registered(Check):
    """Let the gate promote a model, and change nothing below `mlruns/` yourself."""

    name = "registered: the gate put a model into service, and the history is whole"
    requires = (Described,)

    def run(self, copy: Copy) -> Verdict:
        """Verify the history and the task's versions."""
        mine = project.of(copy)
        for each in mine.publications:
            history.require_publication_is_whole(copy, each)
        history.require_append_only(copy)
        history.require_verified(copy)
        return passed(f"by {mine.promoted.commit[:7]}")


class Reproducible(Check):
    """Commit everything that the training needs, then train, and publish."""

    name = "reproducible: the model can be made again, byte by byte"
    requires = (Registered,)

    def run(self, copy: Copy) -> Verdict:
        """Train and decide once more."""
        mine = project.of(copy)
        again = reproduce.require_same(copy, mine.promoted, mine.task)
        return passed(f"sha256 {again.sha256[:12]}")


class Served(Check):
    """Start the API, and ask it about an example of your task."""

    name = "served: the API answers, as the model does"
    requires = (Registered,)

    def run(self, copy: Copy) -> Verdict:
        """Compare the answer of the API with that of the ONNX file."""
        mine = project.of(copy)
        record = example(mine)
        (right,) = predict.predict(mine.model, [record])
        with probe.api(copy, mine.promoted.commit) as api:
            status, text = api.post(f"/predict/{mine.task}", record)
        if status != 200:
            return failed(f"it answers with {status}: {text[:200]}")
        answer = json.loads(text)
        prediction = answer["prediction"]
        # Of a class, the API also gives the largest of the probabilities.
        given = float(answer.get("confidence", prediction))
        expected = max(right)
        if abs(given - expected) > NEAR:
            return failed(f"it answers {given}, and the file says {expected}")
        return passed(f"{prediction}")


def example(mine: Project) -> Record:
    """Return the example of each feature of the task."""
    record = {}
    for feature in mine.description["features"]:
        record[feature["name"]] = feature["example"]
    return record


class Monitored(Check):
    """Give your features ranges that are wider than the data, so that drift can show."""

    name = "monitored: rows unlike the data are noticed"
    requires = (Served,)

    def run(self, copy: Copy) -> Verdict:
        """Ask the API about strange rows, and for their drift."""
        mine = project.of(copy)
        rows = [strange(mine)] * WINDOW_ROWS
        with probe.api(copy, mine.promoted.commit) as api:
            for _ in range(WINDOWS):
                status, text = api.post(f"/predict/{mine.task}", rows)
                if status != 200:
                    return failed(f"it answers with {status}: {text[:200]}")
            drift = _drift(api, mine.task)
        verdict = drift["verdict"]
        if verdict != "drift":
            return failed(f"the verdict is {verdict!r}", "drift")
        columns = counted(len(drift["drifted"]), "column")
        return passed(f"drift of {columns}")


def _drift(api: Api, task: str) -> dict[str, Any]:
    """Return the drift of a task once all rows are logged, or after some seconds."""
    end = time.monotonic() + LOG_SECONDS
    while True:
        _, text = api.get(f"/drift/{task}")
        drift: dict[str, Any] = json.loads(text)
        is_complete = drift["rows"] >= WINDOWS * WINDOW_ROWS
        if is_complete or time.monotonic() > end:
            return drift
        time.sleep(0.2)


def strange(mine: Project) -> Record:
    """Return a row at the upper end of each range."""
    row: Record = {}
    for feature in mine.description["features"]:
        name = feature["name"]
        if "high" in feature:
            row[name] = feature["high"]
        else:
            row[name] = feature["categories"][-1]
    return row


class Tested(Check):
    """Write tests that a model of your data passes, and one of shuffled answers fails."""

    name = "tested: its behaviour is tested, by tests that can fail"
    requires = (Reproducible,)

    def run(self, copy: Copy) -> Verdict:
        """Run the tests with a model of the data, and one of shuffled answers.

        Both are of the algorithm in service: another one may follow the noise.
        """
        mine = project.of(copy)
        count = len(mine.description.get("behaviours") or {})
        if count < LEAST_BEHAVIOURS:
            tests = counted(count, "test of behaviour", "tests of behaviour")
            return failed(tests, f"at least {LEAST_BEHAVIOURS}")
        tables = {
            "data": project.to_csv(mine.rows),
            "shuffled": project.to_csv(shuffled(mine)),
        }
        settings = dict.fromkeys(tables, mine.recipe)
        results = mutate.behaviours(copy, mine.task, tables, settings)
        wrong = _failing(results["data"])
        if wrong:
            return failed(f"a model of your data fails {wrong[0]}")
        if not _failing(results["shuffled"]):
            return failed("a model of shuffled answers passes all of your tests")
        return passed(f"{count} tests, which a model of shuffled answers fails")


def _failing(tests: list[dict[str, Any]]) -> list[str]:
    """Return the tests that a model fails, with what was measured."""
    wrong = []
    for test in tests:
        if not test["passed"]:
            wrong.append(f'"{test["name"]}": {test["detail"]}')
    return wrong


def shuffled(mine: Project) -> list[Line]:
    """Return the rows with the target's values in another order."""
    target = mine.description["target"]["name"]
    values = [row[target] for row in mine.rows]
    others = mine.copy.hidden.shuffled("capstone", values)
    rows = []
    for row, value in zip(mine.rows, others, strict=True):
        rows.append(row | {target: value})
    return rows


CHECKS = (Described, Tracked, Registered, Reproducible, Served, Monitored, Tested)
