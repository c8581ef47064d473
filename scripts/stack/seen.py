"""The table of the stack's addresses, with what each of them shows."""

from collections.abc import Callable
from typing import NamedTuple

from scripts.stack.settings import Settings


class Seen(NamedTuple):
    """An address, and what it shows."""

    name: str
    address: str
    what: str


Look = Callable[[Settings], list[Seen]]


def show(seen: list[Seen]) -> None:
    """Print the table of addresses."""
    name_width = max(len(row.name) for row in seen)
    address_width = max(len(row.address) for row in seen)
    for row in seen:
        name = row.name.ljust(name_width)
        address = row.address.ljust(address_width)
        print(f"  {name}  {address}  {row.what}")
