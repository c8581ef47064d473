"""The environment that local services get."""

import sys

import pytest

from scripts.stack import programs, settings
from scripts.stack.settings import Settings


def test_settings_of_other_work_stay_out_of_the_services() -> None:
    other_work = {
        "MLFLOW_STATIC_PREFIX": "/x",
        "UVICORN_PORT": "1",
        "PYTHONIOENCODING": "ascii",
        "PYTHONHOME": "/x",
    }
    ours = {"API_ADMIN_KEY": "of this work", "MLFLOW_PORT": "5010"}
    environment = Settings(0, (), (), other_work | ours).for_local_services()
    assert ours.items() <= environment.items()
    assert not other_work.keys() & environment.keys()
    assert environment["PYTHONPATH"] == str(settings.ROOT)
    assert environment["PYTHONUTF8"] == "1"


@pytest.mark.parametrize(
    ("variables", "address"),
    [
        ({}, "http://127.0.0.1:5020"),
        ({"MLFLOW_PORT": "5010"}, "http://127.0.0.1:5030"),
        (
            {"API_MLFLOW_URL": "https://mlflow.example.org"},
            "https://mlflow.example.org",
        ),
    ],
)
def test_the_local_api_links_to_the_local_mlflow_or_to_the_users_own(
    variables: dict[str, str], address: str
) -> None:
    program = programs.find(
        "mlops-api", Settings(20, (), (), variables), sys.executable
    )
    assert program.variables["API_MLFLOW_URL"] == address
