"""Rows on the folders and files of the checkout, and on their use in the containers."""

import base64
import json
import shlex
import shutil
import urllib.request
from pathlib import Path

from tools.documents.row import Row, expect
from tools.documents.stack import Stack

SHOWN = ("mlruns", "artifacts", "models", "deployment", "results")
TAR = "tar -czf mlflow-backup.tar.gz mlruns/ mlflow-artifacts/"
TAR_OF_GRAFANA = "tar -czf grafana-backup.tar.gz monitoring/grafana/"
NOTEBOOK = """
import mlflow
mlflow.set_tracking_uri("http://127.0.0.1:5000")
with mlflow.start_run() as run:
    mlflow.log_text("noted", "note.txt")
print(run.info.run_id)
"""
EDITED = "MLOps, edited"
SECONDS = 60


def folders_in_mlflow(stack: Stack) -> str:
    """List the folders in MLflow's container, and try to write into each."""
    stack.require_containers()
    listed = stack.shell("docker compose exec -T mlflow-server ls -la /mlflow/")
    missing = [name for name in SHOWN if f" {name}\n" not in listed]
    expect(not missing, f"/mlflow/ has no {', '.join(missing)}")
    for name in SHOWN:
        touch = f"docker compose exec -T mlflow-server touch /mlflow/{name}/written"
        output = stack.shell(f"{touch} 2>&1; echo status $?")
        expect(
            "Read-only file system" in output,
            f"/mlflow/{name} can be written: {output}",
        )
    return f"{', '.join(SHOWN)}; none can be written"


def edited_files(stack: Stack) -> str:
    """Edit Prometheus' configuration and a dashboard, and check that both are read."""
    stack.require_containers()
    file = stack.checkout / "monitoring" / "prometheus.yml"
    content = file.read_text("utf-8")
    try:
        _put(file, content.replace("interval: 5s", "interval: 7s"))
        stack.shell("docker compose restart prometheus")
        stack.eventually(
            lambda: _configured(stack, "7s"), SECONDS, "Prometheus reads the edit"
        )
    finally:
        _put(file, content)
        stack.shell("docker compose restart prometheus")
    stack.eventually(
        lambda: _configured(stack, "5s"), SECONDS, "Prometheus reads what was there"
    )
    seen = "Prometheus' new interval after a restart"
    if "grafana" not in stack.ports:
        return f"{seen} (no image of grafana here)"
    _edit_dashboard(stack)
    return f"{seen}, and a dashboard's new title"


def _put(file: Path, text: str) -> None:
    """Write a file as editors and Git do: a new one takes the old one's place."""
    aside = file.with_suffix(".new")
    aside.write_text(text, "utf-8", newline="\n")
    aside.replace(file)


def _configured(stack: Stack, interval: str) -> bool:
    answer = stack.get("/api/v1/status/config", "prometheus")  # 503 until it is ready
    if answer.status != 200:
        return False
    configuration = answer.json["data"]["yaml"]
    return f"scrape_interval: {interval}" in configuration


def _edit_dashboard(stack: Stack) -> None:
    file = stack.checkout / "monitoring/grafana/dashboard-configs/mlops-dashboard.json"
    content = file.read_text("utf-8")
    edited = json.loads(content) | {"title": EDITED}
    try:
        file.write_text(json.dumps(edited), "utf-8", newline="\n")
        stack.shell("docker compose restart grafana")
        stack.eventually(
            lambda: _title(stack) == EDITED, SECONDS, "Grafana shows the edit"
        )
    finally:
        file.write_text(content, "utf-8", newline="\n")


def _title(stack: Stack) -> str:
    address = stack.url("grafana", "/api/dashboards/uid/mlops-dashboard")
    login = base64.b64encode(b"admin:admin123").decode()
    request = urllib.request.Request(
        address, headers={"Authorization": f"Basic {login}"}
    )
    answer = stack.send(request)
    if answer.status != 200:
        return ""
    dashboard = answer.json["dashboard"]
    return str(dashboard["title"])


def log_of_the_api(stack: Stack) -> str:
    """Make a prediction and look for it in the log."""
    manifest = stack.checkout / "deployment" / "models" / "iris" / "manifest.json"
    record = json.loads(manifest.read_text("utf-8"))["golden"]["request"]
    name = stack.post("/predict/iris", record).json["request_id"]

    def logged() -> str:
        return "".join(
            path.read_text("utf-8")
            for path in (stack.checkout / "logs").glob("api*.log")
        )

    stack.eventually(
        lambda: name in logged(), SECONDS, "the request is in logs/api.log"
    )
    return f"request {name} is in logs/api.log"


def backups(stack: Stack) -> str:
    """Log a file as a notebook does, and look for it in the archive."""
    run_id = stack.shell(
        f"python -W ignore -c {shlex.quote(NOTEBOOK)} 2>/dev/null"
    ).split()[-1]
    files = list(
        (stack.checkout / "mlflow-artifacts").glob(f"*/{run_id}/artifacts/note.txt")
    )
    try:
        expect(files, f"mlflow-artifacts/ holds nothing of run {run_id}")
        stack.shell(TAR)
        stack.shell(TAR_OF_GRAFANA)
        kept = stack.shell("tar -xzOf mlflow-backup.tar.gz --wildcards '*/note.txt'")
        listed = stack.shell("tar -tzf mlflow-backup.tar.gz").splitlines()
        expect("noted" in kept, f"the archive holds nothing of run {run_id}")
        runs = sum(name.endswith("/run.json") for name in listed)
        boards = stack.shell("tar -tzf grafana-backup.tar.gz").count(
            "dashboard-configs/"
        )
    finally:
        for name in ("mlflow-backup.tar.gz", "grafana-backup.tar.gz"):
            (stack.checkout / name).unlink(missing_ok=True)
        for file in files:
            shutil.rmtree(Path(file).parents[1])
    expect(
        runs and boards > 1,
        f"{runs} runs and {boards} files of dashboards in the archives",
    )
    return f"{runs} runs and the notebook's file; {boards - 1} files of dashboards"


ROWS = [
    Row(
        number=3,
        typed="`docker compose exec mlflow-server ls -la /mlflow/`",
        here=(
            "`mlruns`, `artifacts`, `models`, `deployment` and `results`, mounted"
            " read-only"
        ),
        page="[how to](how-to.md)",
        check=folders_in_mlflow,
    ),
    Row(
        number=9,
        typed=(
            "`monitoring/prometheus.yml`, then `docker compose restart prometheus`;"
            " `monitoring/grafana/dashboard-configs/`, then `docker compose restart"
            " grafana`"
        ),
        here="these files are the source",
        page="[monitoring](monitoring.md)",
        check=edited_files,
    ),
    Row(
        number=11,
        typed="`logs/api.log`",
        here="in the checkout, with and without containers",
        page="[how to](how-to.md)",
        check=log_of_the_api,
    ),
    Row(
        number=12,
        typed=(
            "`tar -czf mlflow-backup.tar.gz mlruns/ mlflow-artifacts/`, "
            "`tar -czf grafana-backup.tar.gz monitoring/grafana/`"
        ),
        here="as typed; what notebooks log is in `mlflow-artifacts/`",
        page="[how to](how-to.md)",
        check=backups,
    ),
]
