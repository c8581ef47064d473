"""Faults that the lesson plants: one of style, one of a type, one of the logic."""

from dataclasses import dataclass

from course.copy import Copy
from course.grading.mutate import Mutant

VALIDATE = "pipeline/data/validate.py"
TABLE = "pipeline/data/table.py"
GATE = "pipeline/publish/gate.py"
PSI = "core/distributions.py"
# The template's tests of each module.
TESTS = {
    VALIDATE: "tests/unit/pipeline/data/test_validate.py",
    TABLE: "tests/unit/pipeline/data/test_holdout.py",
    GATE: "tests/unit/pipeline/publish/test_gate.py",
    PSI: "tests/unit/core/test_distributions.py",
}
LOGIC = (
    Mutant(
        "a value at the edge of its range is refused",
        VALIDATE,
        "numbers.between(low, high)",
        'numbers.between(low, high, inclusive="neither")',
    ),
    Mutant("rows are counted from 0", VALIDATE, "number = row + 1", "number = row + 0"),
    Mutant("the last fault is reported", VALIDATE, "min(faults)\n", "max(faults)\n"),
    Mutant(
        "the number of rows in the reference counts the wrong way",
        PSI,
        "np.asarray(shares) * rows",
        "np.asarray(shares) / rows",
    ),
    Mutant(
        "drift is negative",
        PSI,
        "np.log(window / reference)",
        "np.log(reference / window)",
    ),
    Mutant(
        "the largest share is 1",
        PSI,
        "counts / len(numbers)",
        "counts / counts.max()",
    ),
    Mutant(
        "a tie replaces the champion",
        GATE,
        "_comparison(False, explain.SAME_FILE)",
        "_comparison(True, explain.SAME_FILE)",
    ),
    Mutant(
        "a metric whose small values are good is turned round",
        GATE,
        "else value <= limit",
        "else value >= limit",
    ),
    Mutant(
        "a model that is too large passes",
        GATE,
        "passed=challenger.size <= budget.size_bytes",
        "passed=challenger.size > budget.size_bytes",
    ),
    Mutant(
        "the other rows are held out",
        TABLE,
        "return _fractions(task, table) < share",
        "return _fractions(task, table) > share",
    ),
    Mutant(
        "what was observed decides whether a row is held out",
        TABLE,
        "names = [feature.name for feature in task.features]",
        "names = [*task.columns]",
    ),
    Mutant(
        "the hash of a row is cut off too early",
        TABLE,
        "digest_of_row[:16]",
        "digest_of_row[:12]",
    ),
)
# What a colleague has added in a hurry.
STYLE = '''

def mean_of( values: list[float] ) -> float:
    """Return the mean of some numbers."""
    import statistics
    return statistics.mean( values )
'''
TYPE = '''

def percent(part: int, whole: int) -> float:
    """Return which share of the whole a part is, in percent."""
    return f"{100 * part / whole:.0f}"
'''


@dataclass(frozen=True)
class Faults:
    """The faults of a student.

    Attributes:
        logic: a fault in a module that tests see.
        style: the module with a function that is not formatted.
        type: the module with a function whose result has another type.
    """

    logic: Mutant
    style: str
    type: str

    @property
    def paths(self) -> list[str]:
        """The modules with a fault."""
        return sorted({self.logic.path, self.style, self.type})


def of(copy: Copy) -> Faults:
    """Return the faults of a student: each in another module."""
    logic = copy.personal.choose("lesson 4 logic", LOGIC)
    others = [path for path in TESTS if path != logic.path]
    style, other = copy.personal.sample("lesson 4 modules", others, 2)
    return Faults(logic, style, other)
