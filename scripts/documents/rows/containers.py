"""Rows about the containers, their files and their settings."""

from scripts.documents.row import Row, comes_with, expect
from scripts.documents.stack import Stack

UP = "docker compose up -d"
DOWN = "docker compose down --remove-orphans"
TWO = "docker compose up -d --scale mlops-api=2"
LOGGED = ("mlops-api", "mlflow-server", "grafana", "prometheus")


def commands_of_compose(stack: Stack) -> str:
    """Take the stack down and up, restart services, and read their logs."""
    stack.require_containers()
    stack.shell(DOWN)
    stack.shell(UP)
    logged = [service for service in LOGGED if service in stack.ports]
    stack.shell(f"docker compose restart {' '.join(logged)}")
    stack.await_healthy()
    for service in logged:
        line = stack.first_line(f"docker compose logs -f {service}")
        expect(line, f"`docker compose logs -f {service}` prints nothing")
    missing = " ".join(f"(no image of {name} here)" for name in LOGGED if name not in logged)
    return f"down, up, restart and logs of {', '.join(logged)} {missing}".strip()


def two_replicas(stack: Stack) -> str:
    """Start a second replica of the API, and go back to one."""
    stack.require_containers()
    stack.shell(TWO)
    listed = stack.shell("docker compose ps --quiet mlops-api").split()
    stack.shell("docker compose up -d --scale mlops-api=1")
    stack.await_healthy()
    expect(len(listed) == 2, f"{len(listed)} replicas instead of 2")
    return "2 replicas behind one port"


ROWS = [
    Row(
        number=1,
        typed=f"`{UP}`, `docker compose down`, `{DOWN}`, `docker compose restart NAME`, "
        "`docker compose logs -f NAME` (`mlops-api`, `mlflow-server`, `grafana`, `prometheus`)",
        here="as typed",
        page="[tutorial](tutorial.md)",
        check=commands_of_compose,
    ),
    Row(
        number=2,
        typed=f"`{TWO}`",
        here="as typed: one port, and Prometheus finds each replica",
        page="[how to](how-to.md)",
        check=two_replicas,
    ),
    Row(
        number=3,
        typed="`docker compose exec mlflow-server ls -la /mlflow/`",
        here="`mlruns`, `artifacts`, `models`, `deployment` and `results`, mounted read-only",
    ),
    Row(
        number=7,
        typed="`mlflow ui` in the checkout",
        here="shows the whole history",
    ),
    Row(
        number=9,
        typed="`monitoring/prometheus.yml`, then `docker compose restart prometheus`; "
        "`monitoring/grafana/dashboard-configs/`, then `docker compose restart grafana`",
        here="these files are the source",
        page="[monitoring](monitoring.md)",
    ),
    Row(
        number=10,
        typed="`LOG_LEVEL`, `API_PORT`, `MLFLOW_TRACKING_URI`, `MLFLOW_BACKEND_STORE_URI`, "
        "`MLFLOW_DEFAULT_ARTIFACT_ROOT`, `MLFLOW_SERVE_ARTIFACTS`, `PROMETHEUS_MULTIPROC_DIR`, "
        "`GF_SECURITY_ADMIN_USER`, `GF_SECURITY_ADMIN_PASSWORD`, `GF_USERS_ALLOW_SIGN_UP`, "
        "`DEPLOY_MONITORING`",
        here="each works, or is refused with the name that replaces it",
        page="[configuration](configuration.md)",
    ),
    Row(
        number=11,
        typed="`logs/api.log`",
        here="beside the checkout, with containers and without",
    ),
    Row(
        number=12,
        typed="`tar -czf mlflow-backup.tar.gz mlruns/ mlflow-artifacts/`, "
        "`tar -czf grafana-backup.tar.gz monitoring/grafana/`",
        here="as typed: what notebooks log lies in `mlflow-artifacts/`",
    ),
    Row(
        number=19,
        typed="Grafana's `admin` and `admin123`; Prometheus 9090, Jaeger 16686, MLflow 5000, Node "
        "Exporter 9100, cAdvisor 8080; the S3 console 9001, PostgreSQL",
        here="as expected; the last two are not there yet",
        page="[configuration](configuration.md)",
    ),
    Row(
        number=20,
        typed="`make up`, `make down`, `make test`, `make lint`, `make format`",
        here="as typed; each line of the Makefile is a command that works without Make",
    ),
    Row(
        number=21,
        typed="`./scripts/deploy_local.sh`, "
        "`docker compose -f monitoring/docker-compose-monitoring.yml up -d`",
        here="the API alone; the API, Prometheus and Grafana",
    ),
    Row(
        number=26,
        typed="`docker stack deploy -c docker-compose.yml NAME`, `kompose convert`",
        here="not yet",
        check=comes_with("scale"),
    ),
]
