"""Rows on ports, passwords and environment variables."""

import base64
import json
import urllib.request

from app.other_stacks import VARIABLES
from scripts.stack.settings import PORTS
from tools.documents.row import Row, expect
from tools.documents.stack import Stack

DOCTOR = "./start-mlops.sh --doctor --local --port-offset 3"
USUAL = {
    "mlops-api": 8000,
    "mlflow-server": 5000,
    "prometheus": 9090,
    "grafana": 3000,
    "jaeger": 16686,
    "node-exporter": 9100,
    "cadvisor": 8080,
}
PATHS = {
    "prometheus": "/-/ready",
    "node-exporter": "/metrics",
    "cadvisor": "/metrics",
}


def names_of_variables(stack: Stack) -> str:
    """Start with each variable that cannot work, and check the effect of the others."""
    refused = [variable for variable in VARIABLES if variable.values is not None]
    for variable in refused:
        command = f"{variable.name}=something-else {DOCTOR}"
        output = stack.shell(f"{command} 2>&1; echo status $?")
        expect(f"error: {variable.name}" in output, f"{command}: {output}")
        expect(variable.meaning in output, f"{command}: {output}")
        expect("status 1" in output, f"{command} does not end the start: {output}")
    output = stack.shell(f"DEPLOY_MONITORING=false {DOCTOR} 2>&1; echo status $?")
    expect(
        "for prometheus" not in output,
        f"DEPLOY_MONITORING=false leaves Prometheus in: {output}",
    )
    output = stack.shell("LOG_LEVEL=LOUD python -m app 2>&1; echo status $?")
    expect(
        "error: LOG_LEVEL: Input should be" in output,
        f"LOG_LEVEL is not read: {output}",
    )
    expect(stack.get("/health").status == 200, "the API is not at API_PORT")
    if stack.mode == "containers":
        _of_grafana(stack)
        _refused_by_compose(stack)
    names = ", ".join(variable.name for variable in refused)
    return f"{len(VARIABLES)} variables; refused or limited: {names}"


def _of_grafana(stack: Stack) -> None:
    given = {
        "GF_SECURITY_ADMIN_USER": "somebody",
        "GF_SECURITY_ADMIN_PASSWORD": "something",
        "GF_USERS_ALLOW_SIGN_UP": "true",
    }
    assigned = " ".join(f"{name}={value}" for name, value in given.items())
    whole = "docker compose --profile '*' config --format json"
    output = stack.shell(f"env -u GRAFANA_PASSWORD {assigned} {whole} 2>/dev/null")
    services = json.loads(output)["services"]
    environment = services["grafana"]["environment"]
    expect(given.items() <= environment.items(), f"Grafana does not get {assigned}")


def _refused_by_compose(stack: Stack) -> None:
    name = "MLFLOW_BACKEND_STORE_URI"
    output = stack.shell(
        f"{name}=sqlite:///mlflow.db docker compose run --rm prepare 2>&1; echo"
        " status $?"
    )
    expect(
        f"error: {name} cannot be used here" in output,
        f"{name} is passed over: {output}",
    )


def usual_ports(stack: Stack) -> str:
    """Send a request to each of the usual ports, and log in to Grafana."""
    wrong = []
    for name, port in USUAL.items():
        _, default = PORTS[name]
        if default != port:
            wrong.append(name)
    expect(not wrong, f"not at the usual port: {', '.join(wrong)}")
    there = [name for name in USUAL if name in stack.ports]
    for name in there:
        answer = stack.get(PATHS.get(name, "/"), name)
        expect(answer.status == 200, f"{name} answers {answer.status}")
    seen = f"200 from {', '.join(there)}"
    if "grafana" not in there:
        return f"{seen}; Grafana does not run here"
    login = base64.b64encode(b"admin:admin123").decode()
    address = stack.url("grafana", "/api/user")
    request = urllib.request.Request(
        address, headers={"Authorization": f"Basic {login}"}
    )
    expect(stack.send(request).status == 200, "Grafana takes no admin with admin123")
    return f"{seen}, Grafana as admin"


ROWS = [
    Row(
        number=10,
        typed=(
            "`LOG_LEVEL`, `API_PORT`, `MLFLOW_TRACKING_URI`,"
            " `MLFLOW_BACKEND_STORE_URI`, `MLFLOW_DEFAULT_ARTIFACT_ROOT`,"
            " `MLFLOW_SERVE_ARTIFACTS`, `PROMETHEUS_MULTIPROC_DIR`,"
            " `GF_SECURITY_ADMIN_USER`, `GF_SECURITY_ADMIN_PASSWORD`,"
            " `GF_USERS_ALLOW_SIGN_UP`, `DEPLOY_MONITORING`"
        ),
        here="each works, or is rejected with the name that replaces it",
        page="[configuration](configuration.md)",
        check=names_of_variables,
    ),
    Row(
        number=19,
        typed=(
            "Grafana's `admin` and `admin123`; Prometheus 9090, Jaeger 16686, MLflow"
            " 5000, Node Exporter 9100, cAdvisor 8080; the S3 console 9001, PostgreSQL"
        ),
        here=(
            "as expected; `--with scale` adds an S3 store and PostgreSQL, which have no"
            " port on this machine"
        ),
        page="[PostgreSQL and S3](scale.md)",
        check=usual_ports,
    ),
]
