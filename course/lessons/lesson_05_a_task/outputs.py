"""What the page of lesson 5 quotes."""

from course.lessons.lesson_05_a_task import fakes, solution
from course.work import Work


def sheet(work: Work) -> str:
    """Write the table, and print its data sheet."""
    return work.run("python -m course data")


def refused(work: Work) -> str:
    """Publish the straight line with which the lesson begins."""
    solution.write(work, solution.description())
    solution.add_section(work, fakes.LINE)
    solution.add_table(work, work.orchard.csv(1))
    return work.publish(fakes.MESSAGE, solution.TASK)


OUTPUTS = {"sheet": sheet, "refused": refused}
