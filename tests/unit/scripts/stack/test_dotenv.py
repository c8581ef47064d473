"""`.env` as Docker Compose reads it; `tests/stack/test_dotenv.py` compares with it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.stack import dotenv, settings
from scripts.stack.settings import Settings, StackError
from tests.support.dotenv_cases import ENVIRONMENT, READ, REFUSED


@pytest.mark.parametrize(("content", "expected"), READ, ids=repr)
def test_a_file_is_read_as_compose_reads_it(
    content: bytes, expected: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / ".env"
    file.write_bytes(content)
    assert dotenv.read(file, ENVIRONMENT) == expected


@pytest.mark.parametrize(("content", "reason"), REFUSED, ids=repr)
def test_what_compose_refuses_is_one_sentence_without_any_value(
    content: bytes, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_bytes(content)
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    with pytest.raises(StackError) as refused:
        Settings.read()
    message = str(refused.value)
    assert reason in message
    assert "s3cret" not in message
    assert "\n" not in message


# A single-quoted value cannot contain a quote, an escape or half a character.
PLAIN = st.text(
    st.characters(exclude_characters="'\\", exclude_categories=["Cs"]), max_size=20
)


@given(PLAIN.filter(lambda text: "\0" not in text))
def test_a_text_in_single_quotes_stays_as_it_is(text: str) -> None:
    parser = dotenv.Parser(f"A='{text}'\nB=2\n", ".env", {})
    assert parser.parse() == {"A": text, "B": "2"}


@given(st.text(st.sampled_from("AB=:'\"\\$ {}-+?#\n\r\texport.[é"), max_size=30))
def test_any_text_is_read_or_refused_and_never_a_fault_of_the_reader(text: str) -> None:
    try:
        variables = dotenv.Parser(text, ".env", ENVIRONMENT).parse()
    except ValueError as error:
        assert str(error).startswith(".env, line ")
        return
    for name in variables:
        assert name
        assert " " not in name


def test_the_environment_comes_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text("API_PORT=8010\nMLFLOW_PORT=5010 # mine\n", "utf-8")
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    monkeypatch.setenv("API_PORT", "8020")
    monkeypatch.delenv("MLFLOW_PORT", raising=False)
    read = Settings.read()
    assert read.port("mlops-api") == 8020
    assert read.port("mlflow-server") == 5010
    assert Settings.read(100).port("mlflow-server") == 5110
