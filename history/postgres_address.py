"""The address of MLflow's database in PostgreSQL, of which nothing secret is shown."""

import re
from dataclasses import dataclass, field
from typing import Any

from core.errors import UsageError

EXAMPLE = "postgresql+psycopg://HOST:PORT/DATABASE"
DRIVERS = ("postgresql", "postgresql+psycopg")
SCHEME = re.compile(r"[A-Za-z][\w+.-]*://")
TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Address:
    """Where a database is, and how to connect to it.

    Attributes:
        name: the address without user and password, to show.
        arguments: those of `psycopg.connect`.
        public: the address for MLflow, without the password.
        password: the password, or nothing.
    """

    name: str
    arguments: dict[str, Any] = field(repr=False)
    public: str
    password: str = field(repr=False)


def is_address(text: str) -> bool:
    """Return whether a text is an address, and not the path of a file."""
    return SCHEME.match(text) is not None


def parse(text: str) -> Address:
    """Return the parts of an address, which are taken as MLflow takes them.

    Raises:
        UsageError: it is not an address of PostgreSQL. The text is not in the message:
            who can tell which part of it is the password?
    """
    from sqlalchemy.engine import URL, make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise _unreadable() from error
    if url.drivername not in DRIVERS:
        raise UsageError(
            f"the history is not built into {url.drivername}: name a file for SQLite, or"
            f" {EXAMPLE}."
        )
    if text.count("@") > 1:  # one of them is of the password, and cuts it in two
        raise _unreadable()
    arguments: dict[str, Any] = {"connect_timeout": TIMEOUT_SECONDS}
    arguments.update(url.query)
    names = url.translate_connect_args(username="user", database="dbname")
    arguments.update(names)
    query = {name: value for name, value in url.query.items() if name != "password"}
    place = URL.create(
        DRIVERS[-1],
        host=url.host,
        port=url.port,
        database=url.database,
    )
    public = place.set(username=url.username, query=query)
    return Address(
        name=place.render_as_string(),
        arguments=arguments,
        public=public.render_as_string(),
        password=str(arguments.get("password", "")),
    )


def _unreadable() -> UsageError:
    return UsageError(
        f"the address of the database cannot be read: write it as {EXAMPLE}, with the"
        " user, a colon, the password and an @ before the host, and special characters"
        " of the password escaped, such as %40 for an @."
    )
