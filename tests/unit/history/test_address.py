"""Errors that name the address of a store show none of its secrets."""

from importlib import import_module

import pytest

from core.errors import PipelineError
from history import address


def test_a_message_shows_the_address_without_its_password() -> None:
    uri = "postgresql://ann:pa ss@db/mlflow"
    error = ValueError(f"cannot open {uri}:\n  no such host")
    shown = address.message_of(error, uri)
    assert shown == "cannot open postgresql://***@db/mlflow: no such host"


def test_a_package_that_the_store_does_not_ask_for_is_not_blamed_on_it() -> None:
    with pytest.raises(PipelineError) as raised, address.one_sentence("sqlite:///x.db"):
        import_module("not_a_package")
    assert str(raised.value) == (
        "the Python package not_a_package is not installed: install the packages of this"
        " program's lock file again."
    )
