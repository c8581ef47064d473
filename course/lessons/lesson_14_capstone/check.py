"""Checks of the capstone: what makes a project of machine learning whole."""

import json
from typing import Any

from course.check import Check
from course.copy import Copy
from course.grading import history, mutate, predict, probe, reproduce
from course.grading.probe import Api
from course.grading.result import Verdict, failed, passed
from course.lessons.lesson_14_capstone import project
from course.lessons.lesson_14_capstone.project import PAGE, Project

HEADINGS = ("## Question", "## Data", "## Result", "## Limits")
LEAST_WORDS = 120
LEAST_CANDIDATES = 3
LEAST_TRAININGS = 2
LEAST_BEHAVIOURS = 3
WINDOWS = 2
WINDOW_ROWS = 1000
NEAR = 1e-4
DUMMY = "dummy"


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
        missing = [heading for heading in HEADINGS if heading not in lines]
        words = sum(len(line.split()) for line in lines if not line.startswith("#"))
        if missing:
            return failed(f"{PAGE} has no heading {missing[0]}", ", ".join(HEADINGS))
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
        names = set()
        for each in mine.publications:
            for run in history.runs(copy, each, mine.task):
                if run.get("parent") is not None and run.get("status") == "FINISHED":
                    names.add(str(run.get("name")))
        names.discard(DUMMY)
        trainings = len(mine.publications)
        if trainings < LEAST_TRAININGS or len(names) < LEAST_CANDIDATES:
            return failed(
                f"{trainings} trainings and {len(names)} candidates besides {DUMMY}",
                f"at least {LEAST_TRAININGS} and {LEAST_CANDIDATES}",
            )
        return passed(f"{trainings} trainings, {len(names)} candidates")


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
        given = answer.get("confidence", answer["prediction"])
        if abs(float(given) - max(right)) > NEAR:
            return failed(f"it answers {given}, and the file says {max(right)}")
        return passed(f"{answer['prediction']}")


def example(mine: Project) -> dict[str, Any]:
    """Return the example of each feature of the task."""
    features = mine.description["features"]
    return {feature["name"]: feature["example"] for feature in features}


class Monitored(Check):
    """Give your features ranges that are wider than the data, so that drift can show."""

    name = "monitored: rows unlike the data are noticed"
    requires = (Served,)

    def run(self, copy: Copy) -> Verdict:
        """Ask the API about strange rows, and for their drift."""
        mine = project.of(copy)
        with probe.api(copy, mine.promoted.commit) as api:
            for _ in range(WINDOWS):
                status, text = api.post(f"/predict/{mine.task}", strange(mine))
                if status != 200:
                    return failed(f"it answers with {status}: {text[:200]}")
            drift = _drift(api, mine.task)
        if drift["verdict"] != "drift":
            return failed(f"the verdict is {drift['verdict']!r}", "drift")
        return passed(f"drift of {len(drift['drifted'])} columns")


def _drift(api: Api, task: str) -> dict[str, Any]:
    """Return the drift of a task, when all rows have been logged."""
    for _ in range(50):
        drift: dict[str, Any] = json.loads(api.get(f"/drift/{task}")[1])
        if drift["rows"] >= WINDOWS * WINDOW_ROWS:
            break
    return drift


def strange(mine: Project) -> list[dict[str, Any]]:
    """Return rows at the upper end of each range."""
    row = example(mine)
    for feature in mine.description["features"]:
        if "high" in feature:
            row[feature["name"]] = feature["high"]
        else:
            row[feature["name"]] = feature["categories"][-1]
    return [row] * WINDOW_ROWS


class Tested(Check):
    """Add behavioural tests that a model without any knowledge does not pass."""

    name = "tested: its behaviour is tested, by tests that can fail"
    requires = (Registered,)

    def run(self, copy: Copy) -> Verdict:
        """Run the tests with a model of the data, and one of shuffled answers."""
        mine = project.of(copy)
        count = len(mine.description.get("behaviours") or {})
        if count < LEAST_BEHAVIOURS:
            return failed(f"{count} tests of behaviour", f"at least {LEAST_BEHAVIOURS}")
        tables = {"data": project.to_csv(mine.rows), "shuffled": shuffled(copy, mine)}
        results = mutate.behaviours(copy, mine.task, tables)
        wrong = [test["name"] for test in results["data"] if not test["passed"]]
        if wrong:
            return failed(f"a model of your data fails: {wrong[0]}")
        if all(test["passed"] for test in results["shuffled"]):
            return failed("a model of shuffled answers passes all of your tests")
        return passed(f"{count} tests, which a model of shuffled answers fails")


def shuffled(copy: Copy, mine: Project) -> bytes:
    """Return the table with the target's values in another order."""
    target = mine.description["target"]["name"]
    values = copy.hidden.shuffled("capstone", [row[target] for row in mine.rows])
    pairs = zip(mine.rows, values, strict=True)
    return project.to_csv([row | {target: value} for row, value in pairs])


CHECKS = (Described, Tracked, Registered, Reproducible, Served, Monitored, Tested)
