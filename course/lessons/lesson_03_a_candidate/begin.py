"""Prepares lesson 3: says which algorithm the student adds."""

from course.personal import ALGORITHMS
from course.work import Work


def begin(work: Work) -> str:
    """Return the sentence that names the class."""
    wanted = ALGORITHMS[work.personal.algorithm]
    handle = work.copy.student.handle
    return f"The class of {handle}: {wanted}"
