"""The page of a lesson in a terminal: hints one after the other."""

from course.lesson import Lesson


def hint(lesson: Lesson, number: int) -> str:
    """Return a hint by its number from 1, with how many more there are.

    A number that is too high is the last one.
    """
    hints = lesson.hints
    if not hints:
        return f"Lesson {lesson.number} has no hints: read its page once more."
    place = min(max(number, 1), len(hints))
    text = f"Hint {place} of {len(hints)}\n\n{hints[place - 1]}\n"
    if place < len(hints):
        text += f"\nThe next one: python -m course hint {lesson.number} {place + 1}"
    return text
