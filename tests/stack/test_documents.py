"""Every row of the table of `docs/coming-from.md`, as typed, against the stack of these tests."""

from pathlib import Path

import pytest

from scripts.documents import start, table
from scripts.documents.row import Row, State, run
from scripts.documents.stack import Stack as Documented
from scripts.documents.stack import with_python_first
from scripts.stack.settings import PORTS
from tests.stack.engine import ADMIN_KEY, MISSING, Stack

CHECKED = [row for row in table.ROWS if row.check]


@pytest.fixture(scope="module")
def documented(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Documented:
    """Return the stack of these tests as the rows see it."""
    variables = {
        service: variable.removesuffix("_PORT") for service, (variable, _) in PORTS.items()
    }
    ports = {name: stack.ports[short] for name, short in variables.items() if short in stack.ports}
    environment = with_python_first(stack.environment)
    found = Documented("containers", stack.checkout, ports, environment, ADMIN_KEY)
    file: Path = tmp_path_factory.mktemp("documents") / "absent.yml"
    return start.running(start.without(found, MISSING, file))


@pytest.mark.parametrize("row", CHECKED, ids=lambda row: str(row.number))
def test_a_row_does_what_the_table_says(row: Row, documented: Documented) -> None:
    result = run(row, documented)
    if result.state is State.NOT_RUN:
        pytest.skip(result.seen)
    assert result.state is State.WORKS, result.seen
