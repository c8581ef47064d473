"""The pages of the course on the documentation's site, unless somebody deleted it."""

import json
import re
from functools import cache
from pathlib import Path

FOLDER = "learn"
SYLLABUS = "course/README.md"
# The line of zensical.toml that the lessons follow.
ENTRY = '    { "The course" = "course.md" },\n'
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
# Where an output is written: see course/outputs.py.
MARK = re.compile(r"^ *<!-- output: .* -->\n", re.MULTILINE)


@cache
def places(root: Path) -> dict[str, str]:
    """Return the path of each page of the course, and the one that it has on the site."""
    pages = {}
    if (root / SYLLABUS).is_file():
        pages[SYLLABUS] = f"{FOLDER}/syllabus.md"
    for path in sorted(root.glob("course/lessons/lesson_*/lesson.md")):
        name = path.parent.name.replace("_", "-")
        place = path.relative_to(root).as_posix()
        pages[place] = f"{FOLDER}/{name}.md"
    return pages


def unfold(text: str) -> str:
    """Return the text of a lesson as the site needs it.

    The head is for the checks, marks are for those who write outputs, and Markdown within
    HTML has to be asked for.
    """
    body = MARK.sub("", FRONT_MATTER.sub("", text))
    return body.replace("<details>", '<details markdown="1">')


def with_lessons(configuration: str, root: Path) -> str:
    """Return the configuration with the pages of the course in its navigation."""
    entries = ""
    for name, place in places(root).items():
        text = unfold((root / name).read_text("utf-8"))
        title = TITLE.search(text)
        label = name
        if title:
            label = title[1]
        entries += f'    {{ {json.dumps(label)} = "{place}" }},\n'
    return configuration.replace(ENTRY, ENTRY + entries)
