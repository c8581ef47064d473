"""The start command with Docker: what it says of the stack that it has started for
these tests.
"""

import re

from tests.stack.engine import Stack


def test_the_start_command_says_where_everything_is_and_what_it_saw(
    stack: Stack,
) -> None:
    assert stack.url("API", "/docs") in stack.told
    assert re.search(r"(\d) of \1 targets up", stack.told)
    assert stack.url("ALERTMANAGER") in stack.told and "notifies nobody" in stack.told
    assert re.search(r"\b(\d+) of \1 runs", stack.told)


def test_the_status_is_that_of_one_set_of_ports(stack: Stack) -> None:
    assert "(healthy)" in stack.start_command("--status")
    assert "nothing runs" in stack.start_command("--status", "--port-offset", "1")
