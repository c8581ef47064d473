"""Merging `params.yaml` by its sections: tasks added at the same place are no conflict."""

import re

_TASK = re.compile(r"^  (\w+):")
Sections = dict[str, str]


def merge(base: str, ours: str, theirs: str) -> str | None:
    """Return the merged text, or None where one section was changed on both sides.

    A section is a task's block below `tasks:`, with the comments in it; what comes
    before is one more. The order is ours, then what is new in theirs.
    """
    old, mine, other = split(base), split(ours), split(theirs)
    merged: Sections = {}
    for name in [*mine, *(name for name in other if name not in mine)]:
        sides = old.get(name), mine.get(name), other.get(name)
        chosen = sides[2] if sides[0] == sides[1] else sides[1]
        if sides[0] not in sides[1:] and sides[1] != sides[2]:
            return None
        if chosen is not None:
            merged[name] = chosen
    return "".join(merged.values())


def split(text: str) -> Sections:
    """Return a file's text in pieces by the name of the task that each is about."""
    found: Sections = {"": ""}
    name = ""
    inside = False
    for line in text.splitlines(keepends=True):
        inside = inside or line.startswith("tasks:")
        match = _TASK.match(line) if inside else None
        if match:
            name = match[1]
        found[name] = found.get(name, "") + line
    return found
