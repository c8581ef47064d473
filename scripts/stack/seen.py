"""What was seen at the addresses of the stack, as a table."""

from collections.abc import Callable
from typing import NamedTuple

from scripts.stack.settings import Settings


class Seen(NamedTuple):
    """An address, and what was seen there."""

    name: str
    address: str
    what: str


Look = Callable[[Settings], list[Seen]]


def show(seen: list[Seen]) -> None:
    """Print the table of addresses."""
    names = max(len(row.name) for row in seen)
    addresses = max(len(row.address) for row in seen)
    for name, address, what in seen:
        print(f"  {name:<{names}}  {address:<{addresses}}  {what}")
