"""Each fault of lesson 4 is seen: by a test of the template, and by what is asked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from course import student
from course.copy import Copy
from course.grading import mutate, process, template_tests
from course.grading.mutate import Mutant
from course.lessons.lesson_04_red import check, faults
from tests.support.course_copies import Desk, fresh

pytestmark = [pytest.mark.slow, pytest.mark.nightly]
SECONDS = 180


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = fresh(tmp_path_factory.mktemp("student") / "ann", "ann")
    desk.work().write(student.FILE, student.write("ann", "1.0.0"))
    desk.work().commit("chore: begin the course")
    return desk


@pytest.fixture(scope="module")
def copy(desk: Desk) -> Copy:
    return desk.copy


@pytest.fixture(scope="module")
def tree(copy: Copy) -> Iterator[Path]:
    """Return a folder with the template's code, which each test leaves as it was."""
    with check.tree(copy) as folder:
        yield folder


@pytest.fixture(scope="module")
def answers(tree: Path, copy: Copy) -> dict[str, object]:
    """Return what the modules answer without a fault."""
    return check.answers(tree, tree, check.numbers(copy))


@pytest.mark.parametrize("tests", faults.TESTS.values())
def test_the_tests_pass_without_a_fault(tests: str, tree: Path) -> None:
    outcome = process.run(template_tests.command(tests), tree, SECONDS)
    assert outcome.succeeded, outcome.output


@pytest.mark.parametrize("fault", faults.LOGIC, ids=lambda fault: fault.name)
def test_a_test_of_the_template_fails(fault: Mutant, tree: Path) -> None:
    command = template_tests.command(faults.TESTS[fault.path])
    assert mutate.survivors(tree, [fault], command, SECONDS) == []


@pytest.mark.parametrize("fault", faults.LOGIC, ids=lambda fault: fault.name)
def test_the_module_with_the_fault_answers_differently(
    fault: Mutant, tree: Path, copy: Copy, answers: dict[str, object]
) -> None:
    file = tree / fault.path
    original = file.read_bytes()
    fault.apply(tree)
    try:
        spoilt = check.answers(tree, tree, check.numbers(copy))
    finally:
        file.write_bytes(original)
    differing = [path for path in answers if spoilt[path] != answers[path]]
    assert differing == [fault.path]
