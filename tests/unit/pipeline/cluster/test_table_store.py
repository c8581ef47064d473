"""Tables that workers read by address and digest are those of the training."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from core.errors import PipelineError
from core.files import sha256_file
from pipeline.cluster import references, table_store
from pipeline.train.training_data import TrainingData
from tests.support import seaweedfs, strategies

NUMBERS = st.lists(st.floats(allow_nan=False), min_size=1, max_size=20)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@pytest.fixture(scope="module")
def data() -> TrainingData:
    return strategies.training_data("credit", 100)


@given(NUMBERS, st.data())
@settings(deadline=None, max_examples=25)
def test_a_table_comes_back_with_every_bit_its_types_and_its_index(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[float], draw: st.DataObject
) -> None:
    count = len(numbers)
    as_many_texts = st.lists(TEXTS, min_size=count, max_size=count)
    as_many_choices = st.lists(st.booleans(), min_size=count, max_size=count)
    words = draw.draw(as_many_texts)
    keep = draw.draw(as_many_choices)
    whole = pd.DataFrame({"number": numbers, "word": words})
    table = whole[np.array(keep)]
    store = tmp_path_factory.getbasetemp() / "tables"
    stored = table_store.save(table, str(store))
    again = table_store.load(stored)
    assert_frame_equal(again, table, check_exact=True)
    assert (bits(again) == bits(table)).all()


def bits(table: pd.DataFrame) -> np.ndarray:
    """Return the numbers' representations in memory, which differ for -0.0 and 0.0."""
    numbers = table["number"].to_numpy()
    return numbers.view(np.uint64)


def times(folder: Path) -> dict[str, int]:
    """Return when each file of a folder was written, by its name."""
    written = {}
    for path in folder.iterdir():
        written[path.name] = path.stat().st_mtime_ns
    return written


def test_a_pickle_holds_no_rows_and_names_the_same_files_each_time(
    data: TrainingData, tmp_path: Path
) -> None:
    store = tmp_path / "tables"
    content = references.dumps(data, str(store))
    with_rows = pickle.dumps(data)
    assert len(content) * 3 < len(with_rows)
    written = times(store)
    assert len(written) == 2
    for name in written:
        digest = sha256_file(store / name)
        assert name == f"{digest}.parquet"
    again = references.dumps(data, str(store))
    assert again == content
    assert times(store) == written

    restored = references.loads(content)
    assert references.loads(content) is restored  # read once
    assert_frame_equal(restored.train, data.train, check_exact=True)
    assert_frame_equal(restored.holdout, data.holdout, check_exact=True)
    assert restored.task.name == data.task.name


def test_a_damaged_table_is_refused(data: TrainingData, tmp_path: Path) -> None:
    stored = table_store.save(data.train, str(tmp_path))
    (file,) = tmp_path.iterdir()
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    file.write_bytes(content)
    with pytest.raises(PipelineError, match=f"{stored.name} is damaged .* delete it"):
        table_store.load(stored)


def test_a_table_that_a_worker_does_not_have_is_refused(
    data: TrainingData, tmp_path: Path
) -> None:
    stored = table_store.save(data.train, str(tmp_path))
    (tmp_path / stored.name).unlink()
    with pytest.raises(PipelineError, match="a worker cannot read .* shared folder"):
        table_store.load(stored)


def test_a_folder_that_cannot_be_written_is_refused(
    data: TrainingData, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(PipelineError, match="cannot be written .* name another folder"):
        table_store.save(data.train, str(file / "tables"))


@pytest.mark.slow
@pytest.mark.nightly
def test_a_bucket_keeps_tables_too(
    data: TrainingData, s3: seaweedfs.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.set_variables(monkeypatch)
    store = f"s3://{seaweedfs.BUCKET}/tables"
    stored = table_store.save(data.holdout, store)
    assert table_store.save(data.holdout, store) == stored
    again = table_store.load(stored)
    assert_frame_equal(again, data.holdout, check_exact=True)
    absent = table_store.StoredTable(store, "0" * 64, stored.types)
    with pytest.raises(PipelineError, match="NoSuchKey: the file was deleted"):
        table_store.load(absent)
    nowhere = "s3://no-such-bucket/tables"
    with pytest.raises(PipelineError, match="NoSuchBucket: create the bucket"):
        table_store.save(data.holdout, nowhere)
