"""Types with a name in `/openapi.json`, as generators of clients need them.

Generators make a class of each schema that has a name. Where one has none they invent a
name, or fail: so a choice between types has a name, and so has each list among them.
"""

from typing import Any, Union

from typing_extensions import TypeAliasType


def union(name: str, *alternatives: Any) -> Any:
    """Return the choice between types, under a name."""
    return named(name, Union[alternatives])


def named(name: str, kind: Any) -> Any:
    """Return a type under a name."""
    make: Any = TypeAliasType  # mypy knows only those that are written out
    return make(name, kind)
