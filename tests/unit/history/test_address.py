"""Errors that name the address of a store show none of its secrets."""

from history import address


def test_a_message_shows_the_address_without_its_password() -> None:
    uri = "postgresql://ann:pa ss@db/mlflow"
    error = ValueError(f"cannot open {uri}:\n  no such host")
    shown = address.message_of(error, uri)
    assert shown == "cannot open postgresql://***@db/mlflow: no such host"
