"""The original files, where the folders with them are named."""

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from rich.console import Console

from pipeline import tasks
from pipeline.data import table as tables
from pipeline.data.fetch import fetch
from pipeline.data.validate import validate
from pipeline.repo import Repo
from pipeline.tasks import readers
from tests import generated

HOUSING, CREDIT = tasks.load("housing"), tasks.load("credit")


@pytest.mark.parametrize("name", tasks.names())
def test_the_table_is_the_one_that_the_task_expects(name: str, tmp_path: Path) -> None:
    found, reason = generated.real(name)
    if not found:
        pytest.skip(reason)
    fetched = fetch(tasks.load(name), Repo(tmp_path), Console(quiet=True))
    assert len(fetched.table) == {"housing": 20640, "iris": 150, "credit": 1000}[name]
    assert str(tmp_path) not in fetched.origin and not fetched.origin.startswith("/")


@pytest.mark.skipif(not os.environ.get("SCIKIT_LEARN_DATA"), reason="SCIKIT_LEARN_DATA is not set")
def test_the_archive_of_housing_gives_the_same_table(tmp_path: Path) -> None:
    import joblib
    import numpy as np

    raw = joblib.load(Path(os.environ["SCIKIT_LEARN_DATA"]) / "cal_housing_py3.pkz")
    # scikit-learn's cache has the original's columns in another order.
    original = np.empty_like(raw)
    original[:, [8, 7, 2, 3, 4, 5, 6, 1, 0]] = raw
    text = io.StringIO()
    np.savetxt(text, original, delimiter=",", fmt="%f")
    content = text.getvalue().encode()
    with tarfile.open(tmp_path / "housing.tgz", "w:gz") as archive:
        entry = tarfile.TarInfo("CaliforniaHousing/cal_housing.data")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    table = readers.housing_archive(tmp_path / "housing.tgz")
    assert tables.digest(validate(HOUSING, table, "archive")) == HOUSING.digest


@pytest.mark.skipif(not os.environ.get("MLOPS_DATA_DIR"), reason="MLOPS_DATA_DIR is not set")
def test_the_zip_of_credit_gives_the_same_table(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "credit.zip", "w") as archive:
        archive.write(Path(os.environ["MLOPS_DATA_DIR"]) / "german.data", "german.data")
    table = readers.credit_zip(tmp_path / "credit.zip")
    assert tables.digest(validate(CREDIT, table, "zip")) == CREDIT.digest


def test_a_code_that_credit_does_not_know_is_named_as_it_is(tmp_path: Path) -> None:
    codes = "A19 6 A34 A43 1000 A65 A75 4 A93 A101 4 A121 60 A143 A152 2 A173 1 A192 A201 1\n"
    (tmp_path / "german.data").write_text(codes)
    with pytest.raises(Exception, match="row 1, column checking_account: the value 'A19' is not"):
        validate(CREDIT, readers.credit(tmp_path / "german.data"), "german.data")
