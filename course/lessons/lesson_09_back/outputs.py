"""What the page of lesson 9 quotes."""

from course.lessons.lesson_09_back import solution
from course.work import Work


def promoted(work: Work) -> str:
    """Put the first version of the orchard's model back."""
    return solution.put_back(work, "orchard", "too high in the shade")


OUTPUTS = {"promoted": promoted}
