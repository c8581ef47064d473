"""The solution of lesson 13."""

from course.lessons.lesson_13_supply_chain.wanted import DAYS, WORKFLOW, Wanted
from course.work import Work

MESSAGE = "ci: run a session each week, and lock another package"
PROJECT = "pyproject.toml"
BEFORE = '    "hypothesis",\n'
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
TEXT = """\
name: own

# Each {day}, runs the session {session} of nox.

on:
  schedule:
    - cron: "{cron}"
  workflow_dispatch:

permissions: {{}}

concurrency:
  group: own
  cancel-in-progress: true

jobs:
  own:
    name: The session {session}
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    permissions:
      contents: read # the checkout
    steps:
      - name: Check out
        uses: {checkout}
        with:
          persist-credentials: false
      - name: Run the session
        run: ./scripts/nox.sh -s {session}
"""
LOCK = (
    "uv pip compile --quiet --universal --generate-hashes --no-annotate"
    " --python-version 3.11 --custom-compile-command 'nox -s lock' --group dev"
    " --output-file requirements/dev.txt pyproject.toml"
)


def solve(work: Work) -> None:
    """Write the workflow, add the package, lock it."""
    work.write(WORKFLOW, text(Wanted(work.personal)))
    add_package(work)
    work.run(LOCK)
    work.commit(MESSAGE)
    work.push()


def text(wanted: Wanted) -> str:
    """Return the workflow."""
    return TEXT.format(
        day=DAYS[wanted.day],
        session=wanted.session,
        cron=wanted.cron,
        checkout=CHECKOUT,
    )


def add_package(work: Work) -> None:
    """Add the package to the group of development."""
    package = Wanted(work.personal).package
    work.edit(PROJECT, BEFORE, f'{BEFORE}    "{package}",\n')
