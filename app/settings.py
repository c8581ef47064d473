"""What can be set from outside: environment variables that begin with `API_`."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.asgi.proxy import HOST, PREFIX, networks

Level = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)
]

SHORTEST_KEY = 8


def _root_path(value: str) -> str:
    path = value.rstrip("/")
    if not PREFIX.fullmatch(path):
        raise ValueError("must be a path such as /ml, of letters, digits and -._~")
    return path


def _web_address(value: str) -> str:
    address = value.rstrip("/")
    parts = urlsplit(address)
    is_of_web = parts.scheme in ("http", "https")
    is_address = is_of_web and HOST.fullmatch(parts.netloc)
    if address and (not is_address or parts.query or parts.fragment):
        raise ValueError("must be an address such as http://127.0.0.1:5000")
    return address


def _trusted(value: str) -> str:
    networks(value)
    return value


def _hosts(value: str) -> str:
    for name in _names(value):
        if not HOST.fullmatch(name):
            raise ValueError(
                "must be names such as lab.example.org:8000, separated by commas"
            )
    return value


def _names(value: str) -> list[str]:
    names = []
    for part in value.lower().split(","):
        name = part.strip()
        if name:
            names.append(name)
    return names


RootPath = Annotated[str, AfterValidator(_root_path)]
Hosts = Annotated[str, AfterValidator(_hosts)]
Trusted = Annotated[str, AfterValidator(_trusted)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


class Settings(BaseSettings):
    """The API's configuration; `docs/configuration.md` is generated from these fields."""

    model_config = SettingsConfigDict(
        env_prefix="API_", env_ignore_empty=True, frozen=True, populate_by_name=True
    )

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    root_path: RootPath = Field(
        "",
        description=(
            "Path prefix under which a reverse proxy serves the API, such as `/ml`,"
            " whether or not it strips it."
        ),
    )
    trusted_proxies: Trusted = Field(
        "127.0.0.1,::1",
        description=(
            "Reverse proxies whose headers `X-Forwarded-For`, `-Proto`, `-Host` and"
            " `-Prefix` are trusted: addresses and networks, comma-separated; `*` for"
            " all, or `none`."
        ),
    )
    hosts: Hosts = Field(
        "",
        description=(
            "Host names under which protected paths may be requested, in addition to"
            " IP addresses and `localhost`, such as `lab.example.org`:"
            " comma-separated, with the port if a web page there has one."
        ),
    )
    models: Path = Field(
        Path("deployment/models"),
        description="Directory with one subdirectory per task.",
    )
    state: Path = Field(
        Path("build/serving"),
        description="Directory for models that were loaded manually.",
    )
    default_task: str = Field(
        "housing",
        description=(
            "Task that `GET /model/info` describes, and that errors refer to if a body"
            " contains no record. `POST /predict` and `POST /explain` recognise the"
            " task by the fields of a record."
        ),
    )
    reload_seconds: float = Field(
        2.0, gt=0, description="Seconds between checks for new model files."
    )
    drift_seconds: float = Field(
        15, gt=0, description="Seconds between measurements of drift and quality."
    )
    admin_key: SecretStr | None = Field(
        None,
        min_length=SHORTEST_KEY,
        description="API key for protected paths; if unset they return 403.",
    )
    trainer_url: str = Field("http://127.0.0.1:8001", description="URL of the worker.")
    mlflow_url: WebAddress = Field(
        "",
        description=(
            "Address of MLflow in the browsers of your users, such as"
            " `http://127.0.0.1:5000`: the page at `/` links each answer to its run"
            " there. One on `127.0.0.1` is used in browsers on this machine only; if it"
            " is unset, the page links to the description of the model."
        ),
    )
    max_body_bytes: int = Field(
        8_000_000,
        ge=1_000,
        description="Size limit of request bodies; larger ones get a 413.",
    )
    max_waiting: int = Field(
        32, ge=1, description="Requests that may be queued; further ones get a 503."
    )
    cors_origins: list[str] = Field(
        [], description="Origins of web pages that may call the API, as JSON."
    )
    prediction_log: Path = Field(
        Path("build/predictions.db"),
        description="SQLite database of the prediction log.",
    )
    prediction_log_pending: int = Field(
        100_000,
        ge=1,
        description="Predictions that may be queued; further ones are dropped.",
    )
    prediction_log_rows: int = Field(
        1_000_000,
        ge=1,
        description="Predictions to keep; the oldest are deleted first.",
    )
    prediction_log_days: float = Field(
        30, gt=0, description="Days to keep predictions."
    )
    log_file: Path = Field(
        Path("logs/api.log"), description="JSON log file, in addition to stdout."
    )
    log_file_bytes: int = Field(
        10_000_000, ge=1_000, description="Size at which the log file is rotated."
    )
    log_file_backups: int = Field(3, ge=0, description="Rotated log files to keep.")
    log_level: Level = Field(
        "INFO",
        validation_alias=AliasChoices("API_LOG_LEVEL", "LOG_LEVEL"),
        description="Minimum level of the log; `LOG_LEVEL` has the same effect.",
    )

    def host_names(self) -> list[str]:
        """Return the names in `hosts`, in small letters."""
        return _names(self.hosts)

    def key(self) -> str | None:
        """Return the configured key, or the one that the start script generated."""
        if self.admin_key:
            return self.admin_key.get_secret_value()
        try:
            generated = (
                (self.state / "admin-key").read_text("utf-8-sig", "replace").strip()
            )
        except OSError:
            return None
        if len(generated) >= SHORTEST_KEY:
            return generated
        return None
