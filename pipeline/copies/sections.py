"""Merges `params.yaml` by section, so that tasks added at one place don't conflict."""

import re

_TASK = re.compile(r"^  (\w+):")
Sections = dict[str, str]


def merge(base: str, ours: str, theirs: str) -> str | None:
    """Return the merged text, or None if both sides changed a section.

    A section is a task's block below `tasks:`, with the comments in it; the text before
    is a section, too. The order is ours, followed by the new sections of theirs.
    """
    old = split(base)
    mine = split(ours)
    other = split(theirs)
    merged: list[str] = []
    for name in mine | other:
        before = old.get(name)
        here = mine.get(name)
        there = other.get(name)
        changed_here = here != before
        changed_there = there != before
        if changed_here and changed_there and here != there:
            return None
        chosen = here if changed_here else there
        if chosen is not None:
            merged.append(chosen)
    return "".join(merged)


def split(text: str) -> Sections:
    """Return the sections of a file by the name of their task."""
    sections: Sections = {"": ""}
    name = ""
    below_tasks = False
    for line in text.splitlines(keepends=True):
        if line.startswith("tasks:"):
            below_tasks = True
        match = _TASK.match(line)
        if below_tasks and match:
            name = match[1]
            sections.setdefault(name, "")
        sections[name] += line
    return sections
