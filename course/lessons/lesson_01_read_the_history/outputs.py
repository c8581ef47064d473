"""What the page of lesson 1 quotes."""

from course.lessons.lesson_01_read_the_history.begin import FOLDER, begin
from course.lessons.lesson_01_read_the_history.questions import Questions
from course.work import Work


def altered(work: Work) -> str:
    """Verify a copy in which the oldest picture was altered.

    The file that a student looks for is drawn from all runs, and would be another one
    whenever the template has trained.
    """
    begin(work)
    questions = Questions(work.copy)
    spoilt = work.root / FOLDER
    original = work.copy.content(questions.spoilt, work.copy.started)
    (spoilt / questions.spoilt).write_bytes(original)
    pictures = [path for path in questions.paths if path.endswith(".png")]
    oldest = spoilt / min(pictures)
    oldest.write_bytes(questions.alter(oldest.read_bytes()))
    return work.run(f"python -m pipeline --repo {FOLDER} history verify", status=1)


OUTPUTS = {"altered": altered}
