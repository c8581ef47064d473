"""Prepares lesson 8: the trees of the second season, as a request to the API."""

import json

from course.orchard import TARGET
from course.work import Work

FILE = "build/course/season-2.json"
TEXT = """\
Wrote {file}: the {count} trees of the second season, without their yields, as a
request to the API.
"""


def begin(work: Work) -> str:
    """Write the request, and say where it is."""
    records = []
    for row in work.orchard.season(2):
        records.append({name: row[name] for name in row if name != TARGET})
    work.write(FILE, json.dumps(records) + "\n")
    return TEXT.format(file=FILE, count=len(records))
