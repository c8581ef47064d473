"""The start command with Docker: its output about the stack that it started."""

import re

from tests.stack.engine import Stack


def test_the_start_command_shows_addresses_and_checks(stack: Stack) -> None:
    output = stack.start_output
    assert stack.url("API", "/docs") in output
    assert stack.url("ALERTMANAGER") in output
    assert "notifies nobody" in output
    assert re.search(r"(\d) of \1 targets up", output)
    assert re.search(r"\b(\d+) of \1 runs", output)


def test_the_status_is_that_of_one_set_of_ports(stack: Stack) -> None:
    status = stack.start_command("--status")
    assert "(healthy)" in status
    elsewhere = stack.start_command("--status", "--port-offset", "1")
    assert "nothing runs" in elsewhere
