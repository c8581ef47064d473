"""Every row of the table of `docs/coming-from.md`, as typed, against the stack of these
tests.
"""

import pytest

from tools.documents import table
from tools.documents.row import Row, State, run
from tools.documents.stack import Stack

# Row 1 takes the stack down and up: `test_stack` looks at the same time at what
# outlives that.
CHECKED = [row for row in table.ROWS if row.check and row.number != 1]


@pytest.mark.parametrize("row", CHECKED, ids=lambda row: str(row.number))
def test_a_row_does_what_the_table_says(row: Row, documented: Stack) -> None:
    result = run(row, documented)
    if result.state is State.NOT_RUN:
        pytest.skip(result.seen)
    assert result.state is State.WORKS, result.seen
