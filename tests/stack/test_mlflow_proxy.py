"""MLflow behind a name and a password, over TLS, with MLflow's own client."""

import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from scripts.stack import mlflow_proxy, proxy_settings
from scripts.stack.settings import Settings
from tests.stack.engine import Stack, eventually
from tests.stack.proxy_with_settings import ANSWER_SECONDS, HOST, refusal
from tests.support.certificates import write_certificate

pytestmark = pytest.mark.slow
USER = "ada"
PASSWORD = "a password for the tests"
# The output of `openssl passwd -6` for this password.
HASH = (
    "$6$0123456789abcdef$jVVnhikNYtdUqUjT"
    "keYD.1mjMEHo7ei61FDLuCf3ZuqLFnD.uXWVqr2AbXdRutejwy3WM7AVI82/A1qa8U2g9."
)
PROFILE = ("--profile", "mlflow-auth")
ARTIFACT_BYTES = 3_000_000  # many of HAProxy's buffers


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine."""
    return write_certificate(tmp_path_factory.mktemp("certificates"), "tls", HOST)


@pytest.fixture(scope="module")
def address(
    stack: Stack, certificate: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Start the proxy; return its address."""
    users: Path = tmp_path_factory.mktemp("users") / "users.cfg"
    users.write_text(f"userlist mlflow\n    user {USER} password {HASH}\n", "utf-8")
    own = {
        "PROXY_CERTIFICATES": str(certificate.parent),
        "PROXY_USER": str(os.getuid()),
        "MLFLOW_USERS": str(users.parent),
    }
    stack.environment |= own
    address = f"https://{HOST}:{stack.ports['MLFLOW_PROXY']}"
    up = ("up", "--detach", "--no-deps", "mlflow-proxy")
    try:
        stack.compose(*PROFILE, *up)
        eventually(lambda: is_up(address), ANSWER_SECONDS, "the proxy answers")
        yield address
    finally:
        stack.compose(*PROFILE, "rm", "--stop", "--force", "mlflow-proxy")
        for name in own:
            del stack.environment[name]


def is_up(address: str) -> bool:
    """Return whether MLflow is reached with the right password."""
    try:
        answer = httpx.get(
            f"{address}/health",
            auth=(USER, PASSWORD),
            verify=False,
            trust_env=False,
        )
    except httpx.HTTPError:
        return False
    return answer.status_code == 200


@pytest.fixture
def behind_proxy(
    address: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> MlflowClient:
    """A client with the name and the password, as its environment has them."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", USER)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate))
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    return MlflowClient(address, registry_uri=address)


def test_a_client_reads_and_logs_runs_with_their_artifacts(
    behind_proxy: MlflowClient, client: MlflowClient, tmp_path: Path
) -> None:
    names = {one.name for one in behind_proxy.search_experiments()}
    assert names == {one.name for one in client.search_experiments()}
    iris = behind_proxy.get_experiment_by_name("iris")
    run_id = behind_proxy.create_run(iris.experiment_id).info.run_id
    try:
        behind_proxy.log_metric(run_id, "log_loss", 0.25)
        content = os.urandom(ARTIFACT_BYTES)
        sent = tmp_path / "sent.bin"
        sent.write_bytes(content)
        behind_proxy.log_artifact(run_id, str(sent))
        downloaded = behind_proxy.download_artifacts(run_id, "sent.bin", str(tmp_path))
        assert Path(downloaded).read_bytes() == content
        # The port without a password is this machine's.
        assert client.get_run(run_id).data.metrics == {"log_loss": 0.25}
    finally:
        behind_proxy.delete_run(run_id)


@pytest.mark.parametrize(
    ("user", "password"),
    [
        (USER, "wrong"),
        ("eve", PASSWORD),
    ],
)
def test_a_client_with_a_wrong_password_is_refused(
    behind_proxy: MlflowClient,
    monkeypatch: pytest.MonkeyPatch,
    user: str,
    password: str,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", user)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
    with pytest.raises(MlflowException, match="401"):
        behind_proxy.search_experiments()


def test_a_browser_is_asked_for_a_password(address: str, certificate: Path) -> None:
    context = ssl.create_default_context(cafile=certificate)
    answer = httpx.get(address, verify=context, trust_env=False)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="MLflow"'


def test_the_start_script_sees_that_it_asks(stack: Stack, address: str) -> None:
    settings = Settings(0, (), ("mlflow-auth",), stack.environment)
    (seen,) = mlflow_proxy.look(proxy_settings.applied(settings))
    assert seen.what == "asks for a name and a password"
    (proxy,) = stack.containers("mlflow-proxy")
    _, command = proxy["Config"]["Healthcheck"]["Test"]
    stack.compose("exec", "-T", "mlflow-proxy", "sh", "-c", command)


def test_users_that_cannot_be_read_are_one_sentence(
    stack: Stack, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    arguments = ("--with", "mlflow-auth")
    error = refusal(stack, *arguments, MLFLOW_USERS=str(tmp_path))
    assert error.startswith("error: mlflow-proxy cannot use MLFLOW_USERS: ")
    assert "users.cfg" in error
    users = tmp_path / "users.cfg"
    users.write_text("userlist others\n    user ada password x\n", "utf-8")
    users.chmod(0o644)
    error = refusal(stack, *arguments, MLFLOW_USERS=str(tmp_path))
    assert "mlflow" in error
