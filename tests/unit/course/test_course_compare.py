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
    (source / "params.yaml").write_text(PRESCRIBED, "utf-8")
    commit_all(source, "feat: let the gate pass a model")
    (source / "orchard.yaml").write_text(task, "utf-8")
    (source / "picture.bin").write_bytes(b"\0" * 500)
    commit_all(source, message)
    return source


def own_task(stream: random.Random) -> str:
    words = stream.sample(WORDS, 4)
    return TASK.format(*words, stream.randint(1, 99), stream.randint(1, 99))


def read(source: Path) -> Material:
    return material.read(source, git(source, "rev-parse", "HEAD"))


def test_a_copied_change_is_listed_with_its_places(tmp_path: Path) -> None:
    stream = random.Random(1)
    task = own_task(stream)
    tasks = {"ann": task, "ben": own_task(stream), "eve": task.replace("  ", "   ")}
    copies = {name: write(tmp_path, name, text) for name, text in tasks.items()}
    result = compare.compare({name: read(copy) for name, copy in copies.items()})
    (pair,) = result.pairs
    assert (pair.one, pair.other) == ("ann", "eve")
    assert any("the same change: orchard.yaml in " in each for each in pair.reasons)
    assert any(reason.startswith("the same sentence: ") for reason in pair.reasons)
    assert not result.groups


def test_a_file_that_became_the_same_is_listed(tmp_path: Path) -> None:
    stream = random.Random(5)
    task = own_task(stream)
    copies = {name: write(tmp_path, name, own_task(stream)) for name in ("ann", "eve")}
    (copies["ann"] / "orchard.yaml").write_text(task, "utf-8")
    commit_all(copies["ann"], "feat: write it anew")
    for line in range(1, len(task.splitlines()) + 1):
        part = "\n".join(task.splitlines()[:line]) + "\n"
        (copies["eve"] / "orchard.yaml").write_text(part, "utf-8")
        commit_all(copies["eve"], f"feat: write line {line}")
    (pair,) = compare.compare({name: read(copy) for name, copy in copies.items()}).pairs
    assert pair.reasons[0] == "the same file: orchard.yaml"


def test_paths_and_numbers_are_no_sentences(tmp_path: Path) -> None:
    path = "spoilt: mlruns/iris/leaf/candidates/logistic/regression/model/run.json\n"
    copies = {}
    for name in ("ann", "eve"):
        source = begun(tmp_path / name, name)
        (source / "answers.yaml").write_text(f"name: {name}\n{path}", "utf-8")
        commit_all(source, "docs: answer")
        copies[name] = read(source)
    assert not compare.compare(copies).pairs


def test_equal_sentences_of_messages_are_listed(tmp_path: Path) -> None:
    stream = random.Random(2)
    message = (
        "feat: add\n\nI looked at the errors of last year and took away the frost."
    )
    names = ("ann", "eve")
    copies = [write(tmp_path, name, own_task(stream), message) for name in names]
    result = compare.compare(dict(zip(names, map(read, copies), strict=True)))
    (pair,) = result.pairs
    assert pair.reasons[0].startswith("the same sentence: the message of ")


def test_equal_tables_and_commits_are_listed(tmp_path: Path) -> None:
    source = write(tmp_path, "ann", own_task(random.Random(3)))
    (source / "data").mkdir()
    (source / "data" / "orchard.csv.gz").write_bytes(b"rows")
    commit_all(source, "feat: add the table")
    (pair,) = compare.compare({"ann": read(source), "eve": read(source)}).pairs
    assert pair.reasons[0].startswith("the same commit: ")
    assert "the same table: data/orchard.csv.gz" in pair.reasons


def test_what_the_solution_has_is_no_reason(tmp_path: Path) -> None:
    task = own_task(random.Random(4))
    copies = [read(write(tmp_path, name, task)) for name in ("ann", "ben", "solution")]
    materials = {"ann": copies[0], "ben": copies[1]}
    assert compare.compare(materials).pairs
    assert not compare.compare(materials, [copies[2]]).pairs


def test_what_many_have_is_a_group_and_no_pair() -> None:
    materials = {}
    for number in range(STUDENTS):
        materials[f"s{number}"] = Material({}, {}, {}, {"x": "a.yaml in 1"}, {})
    result = compare.compare(materials)
    assert not result.pairs
    assert [group.reason for group in result.groups] == ["the same change: a.yaml in 1"]
    assert result.groups[0].handles == list(materials)


def data(text: str) -> str:
    """Return a text as `git fast-import` reads it."""
    return f"data {len(text.encode())}\n{text}"


def branch(handle: str, task: str) -> str:
    """Return the commands for a copy as a branch: begun, prescribed, one's own."""
    begin = student.write(handle, "1.0.0")
    files = {student.FILE: begin, "params.yaml": PRESCRIBED, "orchard.yaml": task}
    lines = []
    for path, text in files.items():
        lines.append(f"commit refs/heads/{handle}")
        lines.append(f"committer {handle} <{handle}@example.org> 1 +0000")
        lines.append(data("feat: add a file"))
        lines.append(f"M 100644 inline {path}\n{data(text)}")
    return "\n".join(lines)


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("seed", SEEDS)
def test_the_one_who_copied_is_listed_and_the_honest_ones_are_not(
    tmp_path: Path, seed: int
) -> None:
    stream = random.Random(seed)
    tasks = {f"s{number:02}": own_task(stream) for number in range(STUDENTS)}
    giver, taker = stream.sample(list(tasks), 2)
    tasks[taker] = tasks[giver]
    git(tmp_path, "init", "--quiet", "--bare")
    branches = "\n".join(branch(handle, task) for handle, task in tasks.items())
    git(tmp_path, "fast-import", "--quiet", stdin=branches)
    materials = {handle: material.read(tmp_path, handle) for handle in tasks}
    pairs = compare.compare(materials).pairs
    assert [{pair.one, pair.other} for pair in pairs] == [{giver, taker}]
