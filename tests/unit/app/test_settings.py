"""Settings from the environment: a wrong one is one sentence and exit code 2."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from app.__main__ import main
from app.settings import Settings


def start(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
) -> tuple[int, str]:
    """Return the exit code and the error of a start with one variable set."""
    monkeypatch.setenv(name, value)
    code = main()
    output = capsys.readouterr()
    assert output.out == ""
    return code, output.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_PORT", "eighty"),
        ("API_PORT", "99999"),
        ("API_LOG_LEVEL", "LOUD"),
        ("LOG_LEVEL", "LOUD"),
        ("API_ADMIN_KEY", "short"),
        ("API_MAX_WAITING", "0"),
        ("API_CORS_ORIGINS", "everyone"),
    ],
)
def test_a_bad_value_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
) -> None:
    code, error = start(monkeypatch, capsys, name, value)
    assert code == 2
    (sentence,) = error.splitlines()
    assert sentence.startswith("error: ")
    field = name.removeprefix("API_").lower()
    assert f" {name}" in sentence or field in sentence


def test_a_log_file_that_cannot_be_opened_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "api.log"
    code, error = start(monkeypatch, capsys, "API_LOG_FILE", str(path))
    assert code == 1
    assert error.count("\n") == 1
    assert error.startswith(f"error: API_LOG_FILE: {path}: ")
    assert "file" in error.rpartition(":")[2].lower()


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_ADMIN_KEY", "")
    monkeypatch.setenv("API_PORT", "")
    settings = Settings()
    assert settings.admin_key is None
    assert settings.port == 8000


def test_lists_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_CORS_ORIGINS", '["https://example.org"]')
    assert Settings().cors_origins == ["https://example.org"]


def test_the_key_is_not_shown() -> None:
    assert "very secret" not in repr(Settings(admin_key="very secret"))


def test_the_log_level_has_a_second_name_and_any_case(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "warning")
    assert Settings().log_level == "WARNING"
    monkeypatch.setenv("API_LOG_LEVEL", "Debug")
    assert Settings().log_level == "DEBUG"


def test_more_processes_are_refused_with_what_replaces_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, error = start(monkeypatch, capsys, "PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    assert code == 2
    assert error.count("\n") == 1
    assert error.startswith("error: PROMETHEUS_MULTIPROC_DIR cannot be used here")
    assert "--scale mlops-api=2" in error


def test_without_a_key_there_is_none(tmp_path: Path) -> None:
    settings = Settings(state=tmp_path)
    assert settings.key() is None


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"of the script\r\n", "of the script"),
        (b"", None),
        (b"short", None),
    ],
)
def test_a_key_in_the_environment_comes_before_that_of_the_start_script(
    tmp_path: Path, content: bytes, key: str | None
) -> None:
    (tmp_path / "admin-key").write_bytes(content)
    settings = Settings(state=tmp_path)
    assert settings.key() == key
    own_key = SecretStr("of the user")
    settings = settings.model_copy(update={"admin_key": own_key})
    assert settings.key() == "of the user"


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("API_ROOT_PATH", "ml", "must be a path such as /ml"),
        ("API_ROOT_PATH", "/a b", "must be a path such as /ml"),
        ("API_ROOT_PATH", "https://x.org/ml", "must be a path such as /ml"),
        ("API_MLFLOW_URL", "mlflow:5000", "must be an address such as http://"),
        ("API_MLFLOW_URL", "javascript:alert(1)", "must be an address such as"),
        ("API_MLFLOW_URL", "http://a b/", "must be an address such as http://"),
        ("API_MLFLOW_URL", "http://x.org/#/runs", "must be an address such as"),
        (
            "API_TRUSTED_PROXIES",
            "proxy.example.org",
            "'proxy.example.org' does not appear",
        ),
        ("API_TRUSTED_PROXIES", "10.0.0.1/8", "10.0.0.1/8 has host bits set"),
    ],
)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    reason: str,
) -> None:
    code, error = start(monkeypatch, capsys, variable, value)
    assert code == 2
    assert error.startswith(f"error: {variable}: {reason}")


def test_a_slash_at_the_end_of_mlflows_address_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("API_MLFLOW_URL", "https://x.org:5443/mlflow/")
    assert Settings().mlflow_url == "https://x.org:5443/mlflow"
    monkeypatch.setenv("API_MLFLOW_URL", "")
    assert Settings().mlflow_url == ""


def test_a_slash_at_the_end_of_the_prefix_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("API_ROOT_PATH", "/ml/v1/")
    assert Settings().root_path == "/ml/v1"
    monkeypatch.setenv("API_ROOT_PATH", "/")
    assert Settings().root_path == ""
