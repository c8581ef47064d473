"""The services of the profile `scale`: their known traps, and how they fit together."""

import re
from urllib.parse import urlsplit

from history.bucket_address import parse as parse_bucket
from history.postgres_address import parse as parse_database
from scripts.stack.settings import BUCKET, IN_S3, POSTGRES, STORE
from tests.support.compose import IMAGES, SCHEMA, SERVICES, dockerfile

DATABASE = SERVICES["postgres"]
S3 = SERVICES["s3"]
MLFLOW = SERVICES["mlflow-server"]
# The longest time that SeaweedFS took to end.
SECONDS_TO_END = 27


def option(name: str) -> str:
    """Return the value of an option of SeaweedFS."""
    start = f"-{name}="
    (value,) = [word for word in S3["command"] if word.startswith(start)]
    return str(value.removeprefix(start))


def test_the_addresses_are_those_of_the_services() -> None:
    address = parse_database(POSTGRES)
    environment = DATABASE["environment"]
    assert address.arguments["host"] == "postgres"
    assert address.arguments["user"] == environment["POSTGRES_USER"]
    assert address.arguments["dbname"] == environment["POSTGRES_DB"]
    assert POSTGRES.startswith("postgresql+psycopg://")
    assert parse_bucket(IN_S3[BUCKET]).bucket == option("bucket")
    assert urlsplit(IN_S3["MLOPS_ARTIFACTS_ENDPOINT"]).hostname == "s3"
    schema = (IMAGES / "mlflow-schema.sh").read_text("utf-8")
    assert schema.endswith(f"python -m mlflow db upgrade {POSTGRES}\n")


def test_mlflow_has_the_passwords_of_the_stores() -> None:
    given = MLFLOW["environment"]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert given[name] == S3["environment"][name]
    password = DATABASE["environment"]["POSTGRES_PASSWORD"]
    assert given["PGPASSWORD"] == password
    assert SERVICES[SCHEMA]["environment"]["PGPASSWORD"] == password
    assert {STORE, BUCKET} <= given.keys()


def test_the_stores_have_no_port_on_the_machine() -> None:
    for service in (DATABASE, S3, SERVICES[SCHEMA]):
        assert service["profiles"] == ["scale"]
        assert "ports" not in service


def test_databases_have_an_encoding() -> None:
    """Without a locale, it is SQL_ASCII, and MLflow gets bytes instead of text."""
    assert DATABASE["environment"]["LANG"] == "C.UTF-8"


def test_the_database_runs_without_rights_and_can_write_its_socket() -> None:
    assert DATABASE["user"] == "postgres"
    assert "cap_add" not in DATABASE
    # A volume with no name has the owner that the folder has in the image.
    assert "/var/run/postgresql" in DATABASE["volumes"]
    # The version of the image decides the folder below.
    assert "postgres:/var/lib/postgresql" in DATABASE["volumes"]


def test_the_store_is_the_one_that_starts_at_once_and_takes_no_more_than_it_needs() -> (
    None
):
    assert S3["entrypoint"] == ["/usr/bin/weed"]
    assert "mini" in S3["command"]
    sized = re.compile(r"-(volume|master\.volume)")
    assert not list(filter(sized.match, S3["command"]))


def test_the_store_opens_no_port_for_other_protocols() -> None:
    for protocol in ("s3.port.iceberg", "s3.port.lance"):
        assert option(protocol) == "0"
    for page in ("admin.ui", "webdav"):
        assert option(page) == "false"


def test_the_store_may_take_its_time_to_end_and_is_not_healthy_meanwhile() -> None:
    seconds = int(S3["stop_grace_period"].removesuffix("s"))
    assert seconds > SECONDS_TO_END
    command = S3["healthcheck"]["test"][-1]
    assert f"/{option('bucket')}?" in command
    assert "healthz" not in command


def test_mlflow_starts_when_the_tables_are_there_and_the_bucket_answers() -> None:
    needed = MLFLOW["depends_on"]
    assert needed[SCHEMA]["condition"] == "service_completed_successfully"
    assert needed["s3"]["condition"] == "service_healthy"
    assert "postgres" in SERVICES[SCHEMA]["depends_on"]


def test_mlflow_has_time_to_start_and_starts_no_jobs() -> None:
    """Jobs would need another driver of PostgreSQL, and eight processes."""
    image = dockerfile("mlflow")
    assert "--start-period=120s" in image
    assert "MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false" in image
