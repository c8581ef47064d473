"""Rows on the containers."""

import shutil

from tools.documents.row import Row, expect
from tools.documents.stack import Stack

UP = "docker compose up -d"
DOWN = "docker compose down --remove-orphans"
TWO = "docker compose up -d --scale mlops-api=2"
SWARM = "docker stack config --compose-file deployment/swarm/stack.yml"
OVERLAY = "kubectl kustomize deployment/kubernetes/overlays/small"
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
    missing = " ".join(
        f"(no image of {name} here)" for name in LOGGED if name not in logged
    )
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


def other_orchestrators(stack: Stack) -> str:
    """Let Swarm read its file, and kubectl the overlay where it is installed."""
    stack.require_containers()
    services = stack.shell(f"{SWARM} | grep --count 'image:'").strip()
    if shutil.which("kubectl") is None:
        return f"Swarm accepts {services} services; kubectl is not installed"
    objects = stack.shell(f"{OVERLAY} | grep --count '^kind:'").strip()
    return f"Swarm accepts {services} services, kubectl {objects} objects"


ROWS = [
    Row(
        number=1,
        typed=(
            f"`{UP}`, `docker compose down`, `{DOWN}`, `docker compose restart NAME`,"
            " `docker compose logs -f NAME` (`mlops-api`, `mlflow-server`, `grafana`,"
            " `prometheus`)"
        ),
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
        number=26,
        typed="`docker stack deploy -c docker-compose.yml NAME`, `kompose convert`",
        here=(
            "`deployment/swarm/stack.yml` is the file for Swarm, and"
            " `deployment/kubernetes/` has manifests: nothing is converted"
        ),
        page="[Swarm](swarm.md), [Kubernetes](kubernetes.md)",
        check=other_orchestrators,
    ),
]
