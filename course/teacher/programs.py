"""Commands that other programs call: the grader of a class, and the workflow."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from course import check, lesson, show
from course.copy import Copy
from course.teacher import audit, mirror, summary


def register(app: typer.Typer) -> None:
    """Add the commands to a program; its help lists none of them."""
    app.command(name="audit", hidden=True)(audit_copy)
    app.command(name="fetch", hidden=True)(fetch_copy)
    app.command(name="summary", hidden=True)(write_summary)


def audit_copy(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check that the history of a copy was only ever added to."""
    copy: Copy = context.obj
    results = check.run_all(audit.CHECKS, copy, _nothing)
    status = show.status(results)
    if as_json:
        content = {
            "lesson": None,
            "passed": status == show.GREEN,
            "status": status,
            "checks": [show.entry(result) for result in results],
        }
        print(json.dumps(content, ensure_ascii=False))
    raise typer.Exit(status)


def _nothing(_: str) -> None:
    """Report no check: a program reads the output."""


def fetch_copy(address: str, folder: Path) -> None:
    """Fetch `main` of a copy into a bare repository."""
    mirror.fetch(address, folder)


def write_summary(context: typer.Context) -> None:
    """Check all lessons, and write them into the summary of a workflow run.

    The exit status is 1 if the history was altered.
    """
    copy: Copy = context.obj
    results = []
    for each in lesson.every():
        checked = check.run_all(each.checks, copy, _nothing)
        results.append((each, checked))
    history = check.run_all(audit.CHECKS, copy, _nothing)
    text = summary.markdown(results, history)
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.write(text)
    print(text)
    status = show.status(history)
    altered = status == show.RED
    raise typer.Exit(int(altered))
