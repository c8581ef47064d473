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
CHECKED = [row for row in table.ROWS if row.check and row.number not in ELSEWHERE]


@pytest.mark.parametrize("row", CHECKED, ids=lambda row: str(row.number))
def test_a_row_does_what_the_table_says(row: Row, documented: Stack) -> None:
    result = run(row, documented)
    if result.state is State.NOT_RUN:
        pytest.skip(result.seen)
    assert result.state is State.WORKS, result.seen
