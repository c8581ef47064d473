"""The environment that local services get."""

from scripts.stack import settings
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
