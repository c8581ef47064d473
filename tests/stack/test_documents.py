"""Every row of the table of `docs/coming-from.md`, as typed, against the stack of these
tests.
"""

import pytest

from tools.documents import table
from tools.documents.row import Row, State, run
from tools.documents.stack import Stack

# These rows stop services or start more of them. test_history.py looks at the same time
# at what survives that, and test_replicas.py at the requests that are sent meanwhile.
ELSEWHERE = (1, 2)
# These rows use nothing of the running containers and take half a minute or more each;
# the last one stops Prometheus for a moment, as test_backup.py does. At night,
# `nox -s documents` runs all rows.
SLOW = (7, 21, 24, 25, 27)
CHECKED = [row for row in table.ROWS if row.check and row.number not in ELSEWHERE]


def rows(slow: bool) -> pytest.MarkDecorator:
    """Return a decorator that runs a test with each of the slow rows, or the others."""
    selected = [row for row in CHECKED if (row.number in SLOW) == slow]
    return pytest.mark.parametrize("row", selected, ids=lambda row: str(row.number))


def check(row: Row, stack: Stack) -> None:
    """Run a row; skip the test if this machine cannot."""
    result = run(row, stack)
    if result.state is State.NOT_RUN:
        pytest.skip(result.seen)
    assert result.state is State.WORKS, result.seen


@rows(slow=False)
def test_a_row_does_what_the_table_says(row: Row, documented: Stack) -> None:
    check(row, documented)


@pytest.mark.slow
@rows(slow=True)
def test_a_slow_row_does_what_the_table_says(row: Row, documented: Stack) -> None:
    check(row, documented)
