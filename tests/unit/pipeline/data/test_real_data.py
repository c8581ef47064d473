"""The original files, where the folders with them are set."""

from pathlib import Path

import pytest

from core.errors import PipelineError
from pipeline import tasks
from pipeline.data.arrange import arrange
from pipeline.data.fetch import fetch
from pipeline.data.validate import validate
from pipeline.repo import Repo
from tests.support import strategies
from tests.support.service import TASKS

CREDIT = tasks.load("credit")
ROWS = {
    "housing": 20640,
    "iris": 150,
    "credit": 1000,
}


@pytest.mark.parametrize("name", TASKS)
def test_the_table_is_the_one_that_the_task_expects(name: str, tmp_path: Path) -> None:
    is_available, reason = strategies.real(name)
    if not is_available:
        pytest.skip(reason)
    fetched = fetch(tasks.load(name), Repo(tmp_path))
    assert len(fetched.table) == ROWS[name]
    assert str(tmp_path) not in fetched.origin
    assert not fetched.origin.startswith("/")


def test_an_unknown_code_of_credit_is_named_as_it_is(tmp_path: Path) -> None:
    codes = (
        "A19 6 A34 A43 1000 A65 A75 4 A93 A101 4 A121 60 A143 A152 2 A173 1 A192"
        " A201 1\n"
    )
    path = tmp_path / "german.data"
    path.write_text(codes)
    source = CREDIT.sources[0]
    raw = source.read(path, **source.options)
    table = arrange(CREDIT, source.table, raw)
    message = "row 1, column checking_account: the value 'A19' is"
    with pytest.raises(PipelineError, match=message):
        validate(CREDIT, table, "german.data")
