"""Copies that have in common what no lesson asks for are listed, and no others."""

import random
from pathlib import Path

import pytest

from core.git import git
from course import student
from course.teacher import compare, material
from course.teacher.material import Material
from tests.conftest import commit_all
from tests.support.forged_copies import begun

STUDENTS = 30
SEEDS = range(20)
# What a lesson tells everybody to write, too short to be anybody's own.
PRESCRIBED = "  iris:\n    logistic_regression: {C: 1}\n"
TASK = """\
behaviours:
  - name: a tree with {0} and {1} bears more than one without any {2}
    expect: higher
    add: {{{3}: {4}}}
  - name: a year that is {2} and {3} is a bad one for each {1} in the {0}
    expect: lower
    add: {{{1}: {5}}}
"""
WORDS = (
    "rain sun wind frost bees soil water shade salt clay sand leaves roots grass"
    " hail drought compost sheep apples pears plums cherries quinces medlars ladders"
    " baskets barns hedges ditches moles wasps mildew scab canker lime ash potash"
).split()


def write(folder: Path, handle: str, task: str, message: str = "feat: add") -> Path:
    """Return a copy with a prescribed change and a task of one's own."""
    source = begun(folder / handle, handle)
    parameters = source / "params.yaml"
    parameters.write_text(PRESCRIBED, "utf-8")
    commit_all(source, "feat: let the gate pass a model")
    own_file = source / "orchard.yaml"
    own_file.write_text(task, "utf-8")
    picture = source / "picture.bin"
    picture.write_bytes(b"\0" * 500)
    commit_all(source, message)
    return source


def own_task(stream: random.Random) -> str:
    words = stream.sample(WORDS, 4)
    one_number = stream.randint(1, 99)
    other_number = stream.randint(1, 99)
    return TASK.format(*words, one_number, other_number)


def read(source: Path) -> Material:
    head = git(source, "rev-parse", "HEAD")
    return material.read(source, head)


def read_all(copies: dict[str, Path]) -> dict[str, Material]:
    """Return the material of each copy by the name of its student."""
    return {handle: read(source) for handle, source in copies.items()}


def test_a_copied_change_is_listed_with_its_places(tmp_path: Path) -> None:
    stream = random.Random(1)
    task = own_task(stream)
    tasks = {
        "ann": task,
        "ben": own_task(stream),
        "eve": task.replace("  ", "   "),
    }
    copies = {}
    for name, text in tasks.items():
        copies[name] = write(tmp_path, name, text)
    result = compare.compare(read_all(copies))
    (pair,) = result.pairs
    assert (pair.one, pair.other) == ("ann", "eve")
    reasons = "\n".join(pair.reasons)
    assert "the same change: orchard.yaml in " in reasons
    assert "the same sentence: " in reasons
    assert not result.groups


def test_a_file_that_became_the_same_is_listed(tmp_path: Path) -> None:
    stream = random.Random(5)
    task = own_task(stream)
    ann = write(tmp_path, "ann", own_task(stream))
    eve = write(tmp_path, "eve", own_task(stream))
    (ann / "orchard.yaml").write_text(task, "utf-8")
    commit_all(ann, "feat: write it anew")
    lines = task.splitlines(keepends=True)
    part = ""
    for number, line in enumerate(lines, start=1):
        part += line
        (eve / "orchard.yaml").write_text(part, "utf-8")
        commit_all(eve, f"feat: write line {number}")
    result = compare.compare(read_all({"ann": ann, "eve": eve}))
    (pair,) = result.pairs
    assert pair.reasons[0] == "the same file: orchard.yaml"


def test_paths_and_numbers_are_no_sentences(tmp_path: Path) -> None:
    path = "spoilt: mlruns/iris/leaf/candidates/logistic/regression/model/run.json\n"
    copies = {}
    for name in ("ann", "eve"):
        source = begun(tmp_path / name, name)
        answers = source / "answers.yaml"
        answers.write_text(f"name: {name}\n{path}", "utf-8")
        commit_all(source, "docs: answer")
        copies[name] = read(source)
    assert not compare.compare(copies).pairs


def test_equal_sentences_of_messages_are_listed(tmp_path: Path) -> None:
    stream = random.Random(2)
    message = (
        "feat: add\n\nI looked at the errors of last year and took away the frost."
    )
    copies = {}
    for name in ("ann", "eve"):
        task = own_task(stream)
        copies[name] = write(tmp_path, name, task, message)
    result = compare.compare(read_all(copies))
    (pair,) = result.pairs
    assert pair.reasons[0].startswith("the same sentence: the message of ")


def test_equal_tables_and_commits_are_listed(tmp_path: Path) -> None:
    task = own_task(random.Random(3))
    source = write(tmp_path, "ann", task)
    table = source / "data" / "orchard.csv.gz"
    table.parent.mkdir()
    table.write_bytes(b"rows")
    commit_all(source, "feat: add the table")
    result = compare.compare(read_all({"ann": source, "eve": source}))
    (pair,) = result.pairs
    assert pair.reasons[0].startswith("the same commit: ")
    assert "the same table: data/orchard.csv.gz" in pair.reasons


def test_what_the_solution_has_is_no_reason(tmp_path: Path) -> None:
    task = own_task(random.Random(4))
    copies = {}
    for name in ("ann", "ben", "solution"):
        copies[name] = write(tmp_path, name, task)
    materials = read_all(copies)
    solution = materials.pop("solution")
    assert compare.compare(materials).pairs
    assert not compare.compare(materials, [solution]).pairs


def test_what_many_have_is_a_group_and_no_pair() -> None:
    materials = {}
    for number in range(STUDENTS):
        handle = f"s{number}"
        materials[handle] = Material({}, {}, {}, {"x": "a.yaml in 1"}, {})
    result = compare.compare(materials)
    assert not result.pairs
    (group,) = result.groups
    assert group.reason == "the same change: a.yaml in 1"
    assert group.handles == list(materials)


def data(text: str) -> str:
    """Return a text as `git fast-import` reads it."""
    size = len(text.encode())
    return f"data {size}\n{text}"


def branch(handle: str, task: str) -> str:
    """Return the commands for a copy as a branch: begun, prescribed, one's own."""
    files = {
        student.FILE: student.write(handle, "1.0.0"),
        "params.yaml": PRESCRIBED,
        "orchard.yaml": task,
    }
    message = data("feat: add a file")
    lines = []
    for path, text in files.items():
        lines.append(f"commit refs/heads/{handle}")
        lines.append(f"committer {handle} <{handle}@example.org> 1 +0000")
        lines.append(message)
        lines.append(f"M 100644 inline {path}")
        lines.append(data(text))
    return "\n".join(lines)


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("seed", SEEDS)
def test_the_one_who_copied_is_listed_and_the_honest_ones_are_not(
    tmp_path: Path, seed: int
) -> None:
    stream = random.Random(seed)
    tasks = {}
    for number in range(STUDENTS):
        handle = f"s{number:02}"
        tasks[handle] = own_task(stream)
    giver, taker = stream.sample(list(tasks), 2)
    tasks[taker] = tasks[giver]
    git(tmp_path, "init", "--quiet", "--bare")
    branches = [branch(handle, task) for handle, task in tasks.items()]
    git(tmp_path, "fast-import", "--quiet", stdin="\n".join(branches))
    materials = {handle: material.read(tmp_path, handle) for handle in tasks}
    (pair,) = compare.compare(materials).pairs
    assert {pair.one, pair.other} == {giver, taker}
