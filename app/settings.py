"""What can be set from outside: environment variables that begin with `API_`."""

from pathlib import Path
from typing import Annotated, Literal

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
    return [name for part in value.lower().split(",") if (name := part.strip())]


RootPath = Annotated[str, AfterValidator(_root_path)]
Hosts = Annotated[str, AfterValidator(_hosts)]
Trusted = Annotated[str, AfterValidator(_trusted)]


class Settings(BaseSettings):
    """The API's configuration; `docs/configuration.md` is made from these fields."""

    model_config = SettingsConfigDict(
        env_prefix="API_", env_ignore_empty=True, frozen=True, populate_by_name=True
    )

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    root_path: RootPath = Field(
        "",
        description=(
            "Prefix under which a proxy shows the API, such as `/ml`, taken away or"
            " not."
        ),
    )
    trusted_proxies: Trusted = Field(
        "127.0.0.1,::1",
        description=(
            "Proxies whose `X-Forwarded-For`, `-Proto`, `-Host` and `-Prefix` are "
            "believed: addresses and networks, separated by commas; `*`: all; `none`."
        ),
    )
    hosts: Hosts = Field(
        "",
        description=(
            "Names under which the paths that need the key may be asked, besides"
            " addresses and `localhost`, such as `lab.example.org`: separated by"
            " commas, with the port if a page there has one."
        ),
    )
    models: Path = Field(
        Path("deployment/models"), description="Folder with a folder a task."
    )
    state: Path = Field(
        Path("build/serving"), description="Folder of models loaded by hand."
    )
    default_task: str = Field(
        "housing",
        description=(
            "Task that `GET /model/info` describes, and whose rules say what is wrong"
            " with a body that holds no record. `POST /predict` and `POST /explain` go"
            " by a record's fields."
        ),
    )
    reload_seconds: float = Field(
        2.0, gt=0, description="How often models' files are looked at."
    )
    drift_seconds: float = Field(
        15, gt=0, description="How often drift and quality are measured."
    )
    admin_key: SecretStr | None = Field(
        None,
        min_length=SHORTEST_KEY,
        description="Key for paths that change something; none: they say 403.",
    )
    trainer_url: str = Field(
        "http://127.0.0.1:8001", description="Where the trainer listens."
    )
    max_body_bytes: int = Field(
        8_000_000, ge=1_000, description="Larger requests get 413."
    )
    max_waiting: int = Field(
        32, ge=1, description="Requests that may wait; the others get 503."
    )
    cors_origins: list[str] = Field(
        [], description="Web pages that may call the API, a JSON list."
    )
    prediction_log: Path = Field(
        Path("build/predictions.db"),
        description="SQLite file of the answered predictions.",
    )
    prediction_log_pending: int = Field(
        100_000,
        ge=1,
        description="Predictions that may wait to be written; others are counted.",
    )
    prediction_log_rows: int = Field(
        1_000_000, ge=1, description="Predictions that are kept; the oldest go first."
    )
    prediction_log_days: float = Field(
        30, gt=0, description="Days that predictions are kept."
    )
    log_file: Path = Field(
        Path("logs/api.log"), description="JSON log beside the one on stdout."
    )
    log_file_bytes: int = Field(
        10_000_000, ge=1_000, description="Size at which it is rotated."
    )
    log_file_backups: int = Field(3, ge=0, description="Rotated files that are kept.")
    log_level: Level = Field(
        "INFO",
        validation_alias=AliasChoices("API_LOG_LEVEL", "LOG_LEVEL"),
        description="Least level that is logged; `LOG_LEVEL` does the same.",
    )

    def host_names(self) -> list[str]:
        """Return the names in `hosts`, in small letters."""
        return _names(self.hosts)

    def key(self) -> str | None:
        """Return the key that is set, else the one that the start script has made, if
        any.
        """
        if self.admin_key:
            return self.admin_key.get_secret_value()
        try:
            made = (self.state / "admin-key").read_text("utf-8-sig", "replace").strip()
        except OSError:
            return None
        return made if len(made) >= SHORTEST_KEY else None
