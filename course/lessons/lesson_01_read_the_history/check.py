"""Checks of lesson 1: the answers, each computed from the history itself."""

from typing import Any, ClassVar

from course.check import Check
from course.copy import Copy
from course.grading.result import Verdict, failed, passed
from course.lessons.lesson_01_read_the_history import questions

FILE = "course/answers.yaml"
# Difference and prediction are asked for with so many decimals, rounded or cut off.
DIFFERENCE = 1.1e-4
PREDICTION = 1.1e-3


class AnswersAreThere(Check):
    """Write an answer to each question into `course/answers.yaml`, and commit it."""

    name = "each question has an answer"

    def run(self, copy: Copy) -> Verdict:
        """Compare the words in the file with the questions."""
        wanted = [check.key for check in ANSWERS]
        given = copy.answers()
        missing = [key for key in wanted if key not in given]
        if missing:
            return failed(
                f"{FILE} in the last commit has no answer for: {', '.join(missing)}"
            )
        return passed(f"{len(wanted)} answers")


class Answer(Check):
    """An answer of the student, compared with the right one.

    Attributes:
        key: the word of the question.
        where: where the right answer is to be seen.
    """

    key: ClassVar[str]
    where: ClassVar[str]
    requires = (AnswersAreThere,)

    def run(self, copy: Copy) -> Verdict:
        """Compare."""
        right = questions.of(copy).answers[self.key]
        given = copy.answers()[self.key]
        if self.agrees(given, right):
            return passed(_shown(given))
        return failed(f"the answer is {_shown(given)}", f"what {self.where} shows")

    def agrees(self, given: Any, right: Any) -> bool:
        """Return whether an answer is the right one."""
        return bool(str(given).strip() == str(right))


def _shown(given: Any) -> str:
    text = str(given)
    return text if len(text) < 60 else f"{text[:57]}..."


def _is_near(given: Any, right: float, tolerance: float) -> bool:
    try:
        return abs(float(given) - right) <= tolerance
    except (TypeError, ValueError):
        return False


class RunOfAModel(Answer):
    """Open the entry of the version below `mlruns/registry/`: it names the run."""

    name = "the run behind a model"
    key = "run"
    where = "the registry"


class Challenger(Answer):
    """Open the run of the training in MLflow, or its `run.json`: see its parameters."""

    name = "the challenger of a training"
    key = "algorithm"
    where = "the training's parameter `challenger`"


class FailedChecks(Answer):
    """Read the tag `gate.checks` of the run of the training: names that did not pass."""

    name = "the checks that refused a challenger"
    key = "refused"
    where = "the tag `gate.checks` of the training"

    def agrees(self, given: Any, right: Any) -> bool:
        """Return whether the names are the same, in any order."""
        names = given if isinstance(given, list) else [given]
        return sorted(map(str, names)) == sorted(right)


class Difference(Answer):
    """Compare the two runs in MLflow, or read the metric in both `run.json`; subtract."""

    name = "the difference between two candidates"
    key = "difference"
    where = "a comparison of the two runs"

    def agrees(self, given: Any, right: Any) -> bool:
        """Return whether the numbers agree in four decimals."""
        return _is_near(given, right, DIFFERENCE)


class SpoiltFile(Answer):
    """Verify the spoilt copy: `python -m pipeline --repo build/course/spoilt history verify`."""

    name = "the file that was altered"
    key = "spoilt"
    where = "`history verify` of the spoilt copy"

    def agrees(self, given: Any, right: Any) -> bool:
        """Return whether the path is the same, from `mlruns` on."""
        _, marker, path = str(given).replace("\\", "/").rpartition("mlruns/")
        return bool(f"{marker}{path}".strip() == right)


class Prediction(Answer):
    """Start the API and ask it about the row, or ask the ONNX file."""

    name = "the prediction for a row"
    key = "prediction"
    where = "the answer of the API"

    def agrees(self, given: Any, right: Any) -> bool:
        """Return whether the numbers agree in three decimals."""
        return _is_near(given, right, PREDICTION)


ANSWERS: tuple[type[Answer], ...] = (
    RunOfAModel,
    Challenger,
    FailedChecks,
    Difference,
    SpoiltFile,
    Prediction,
)
CHECKS: tuple[type[Check], ...] = (AnswersAreThere, *ANSWERS)
