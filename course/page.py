"""The page of a lesson in a terminal: hints one after the other."""

from course.lesson import Lesson


def hint(lesson: Lesson, number: int) -> str:
    """Return a hint by its number from 1, with how many more there are.

    A number that is too high is the last one.
    """
    hints = lesson.hints
    if not hints:
        return f"Lesson {lesson.number} has no hints: read its page once more."
    last = len(hints)
    place = min(max(number, 1), last)
    hint = hints[place - 1]
    text = f"Hint {place} of {last}\n\n{hint}\n"
    if place < last:
        following = place + 1
        text += f"\nThe next one: python -m course hint {lesson.number} {following}"
    return text
