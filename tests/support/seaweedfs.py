"""An S3 store for the tests: SeaweedFS, where its program is installed."""

import json
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.loopback import free_ports
from tests.support.waiting import wait_until

ABSENT = "SeaweedFS is not installed: there is no `weed` beside Python nor in the PATH"
BUCKET = "mlflow"
PORTS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port",
    "s3.port.grpc",
)
SETTINGS = (
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    "-admin.ui=false",
    "-webdav=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-master.telemetry=false",
    f"-bucket={BUCKET}",
)


def require_program() -> str:
    """Return the path of SeaweedFS's program; skip the test if it is not installed."""
    beside = str(Path(sys.executable).parent)
    weed = shutil.which("weed", path=beside) or shutil.which("weed")
    if weed is None:
        pytest.skip(ABSENT)
    return weed


class Store:
    """A running store with an empty bucket."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self.variables = {
            "MLFLOW_S3_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "key-of-the-tests",
            "AWS_SECRET_ACCESS_KEY": secrets.token_hex(8),
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def set_variables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Set the variables with which a client reaches the store."""
        for name, value in self.variables.items():
            monkeypatch.setenv(name, value)
        # It keeps the key of the store that this process has reached first.
        monkeypatch.setattr("boto3.DEFAULT_SESSION", None)


@contextmanager
def running(weed: str, folder: Path, *more: str) -> Iterator[Store]:
    """Run a store on free ports of this machine, with its files in a folder.

    Args:
        more: further options of SeaweedFS.
    """
    numbers = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    store = Store(numbers["s3.port"])
    data = folder / "data"
    data.mkdir(parents=True)
    credentials = {
        "accessKey": store.variables["AWS_ACCESS_KEY_ID"],
        "secretKey": store.variables["AWS_SECRET_ACCESS_KEY"],
    }
    identity = {
        "name": "tests",
        "credentials": [credentials],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}))
    command = [weed, "-logtostderr=true", "mini", f"-dir={data}"]
    command += [f"-s3.config={config}", *SETTINGS]
    for setting, number in numbers.items():
        command.append(f"-{setting}={number}")
    command += more
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        wait_until(lambda: _has_bucket(store))
        yield store
    finally:
        process.kill()  # it takes ten seconds to end by itself
        process.wait()


def _has_bucket(store: Store) -> bool:
    """Return whether the bucket is there: it comes some time after the first answer."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    variables = store.variables
    client = boto3.client(
        "s3",
        endpoint_url=store.endpoint,
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_DEFAULT_REGION"],
    )
    try:
        client.list_objects(Bucket=BUCKET)
    except (BotoCoreError, ClientError):
        return False
    return True
