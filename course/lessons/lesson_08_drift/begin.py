"""Prepares lesson 8: the trees of the second season, as a request to the API."""

import json

from course.orchard import features_of
from course.work import Work

FILE = "build/course/season-2.json"
TEXT = """\
Wrote {file}: the {count} trees of the second season, without
their yields, as a request to the API.
"""


def begin(work: Work) -> str:
    """Write the request, and say where it is."""
    records = [features_of(tree) for tree in work.orchard.season(2)]
    work.write(FILE, json.dumps(records) + "\n")
    return TEXT.format(file=FILE, count=len(records))
