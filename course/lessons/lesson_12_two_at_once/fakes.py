"""Ways to cheat in lesson 12."""

import hashlib

from course.lessons.lesson_12_two_at_once import solution
from course.lessons.lesson_12_two_at_once.check import (
    TEST,
    TestCatches,
    TestPasses,
    TwoPublished,
)
from course.work import Fake, Work

NOTHING = '''\
"""A test that cannot fail."""


def test_both_land() -> None:
    assert True
'''
READS = '''\
"""A test that reads the source."""

import hashlib
from pathlib import Path

import pipeline.publish.loop as loop


def test_the_loop_is_as_it_was() -> None:
    text = Path(str(loop.__file__)).read_bytes()
    assert hashlib.sha256(text).hexdigest() == "{digest}"
'''
WORDS = '''\
"""A test that looks for words in the source."""

import inspect

import pipeline.publish.loop as loop


def test_the_loop_has_many_attempts_and_no_force() -> None:
    assert loop.ATTEMPTS > 1
    assert "--force" not in inspect.getsource(loop)
'''


def cannot_fail(work: Work) -> None:
    """Write a test that asserts nothing."""
    work.write(TEST, NOTHING)
    work.commit(solution.MESSAGE)


def reads(work: Work) -> None:
    """Write a test that compares the source with its digest."""
    path = work.root / "pipeline" / "publish" / "loop.py"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    work.write(TEST, READS.format(digest=digest))
    work.commit(solution.MESSAGE)


def words(work: Work) -> None:
    """Write a test that looks for words in the source."""
    work.write(TEST, WORDS)
    work.commit(solution.MESSAGE)


def pretended(work: Work) -> None:
    """Make commits that say that the pipeline made them."""
    source = work.git("rev-parse", "HEAD")
    for _ in range(2):
        message = f"chore(publish): iris v1 stays\n\nMlops-Publish: {source}"
        work.git("commit", "--quiet", "--allow-empty", "--message", message)


FAKES = (
    Fake("a test that cannot fail", cannot_fail, TestCatches, "0 of 3 caught"),
    Fake("a test of the source's digest", reads, TestPasses, "in other words"),
    Fake("a test of the source's words", words, TestCatches, "first attempt again"),
    Fake("empty commits of the pipeline", pretended, TwoPublished, "no commit"),
)
