"""Environment variables that people know from other stacks: what each one does here.

Those that cannot work are refused with a sentence that names what replaces them, so
that nobody believes in a setting that is passed over. Nothing but Python is needed to
read this.
"""

from collections.abc import Mapping
from typing import NamedTuple

YES = ("true", "1", "yes", "on")
NO = ("false", "0", "no", "off")
PROCESSES = "PROMETHEUS_MULTIPROC_DIR"
MONITORING = "DEPLOY_MONITORING"
TRACKING = "MLFLOW_TRACKING_URI"


class Variable(NamedTuple):
    """A variable, what it does or what replaces it, and the only values that can be
    used.

    With `values` of None all can, with none at all the variable is refused.
    """

    name: str
    meaning: str
    values: tuple[str, ...] | None = None


VARIABLES = (
    Variable(
        "LOG_LEVEL",
        "Minimum level of the API's log; `API_LOG_LEVEL` takes precedence.",
    ),
    Variable("API_PORT", "The API's port on this machine."),
    Variable(
        TRACKING,
        "Server that clients log to, such as notebooks and `python -m pipeline train`."
        " The stack's own jobs log to the stack's MLflow, so in `.env` it cannot name"
        " another server; `python -m pipeline history import --from URI` imports the"
        " runs of one.",
    ),
    Variable(
        "MLFLOW_BACKEND_STORE_URI",
        "MLflow's database is built from `mlruns/`, into a SQLite file or the database in"
        " `MLOPS_STORE`; `python -m pipeline history import --from URI` imports the runs"
        " of another store.",
        (),
    ),
    Variable(
        "MLFLOW_DEFAULT_ARTIFACT_ROOT",
        "Artifacts of runs that are logged to the running server are in"
        " `mlflow-artifacts/`, those of committed runs in `mlruns/`; all of them are in"
        " the bucket that `MLOPS_ARTIFACTS` names.",
        (),
    ),
    Variable(
        "MLFLOW_SERVE_ARTIFACTS",
        "It is always `true`: clients get every artifact through the server.",
        YES,
    ),
    Variable(
        PROCESSES,
        "Each replica of the API is one process with its own `/metrics`; for more"
        " replicas use `docker compose up -d --scale mlops-api=2`.",
        (),
    ),
    Variable(
        "GF_SECURITY_ADMIN_USER",
        "Name of Grafana's administrator, set when its database is created.",
    ),
    Variable(
        "GF_SECURITY_ADMIN_PASSWORD", "As `GRAFANA_PASSWORD`, which takes precedence."
    ),
    Variable(
        "GF_USERS_ALLOW_SIGN_UP",
        "Whether visitors can register as users of Grafana.",
    ),
    Variable(
        MONITORING,
        "With `false` `./start-mlops.sh` leaves out Prometheus, Grafana and the"
        " exporters. Compose alone cannot: remove the variable and run `docker compose up -d proxy"
        " mlflow-server trainer`.",
        (*YES, *NO),
    ),
)


def refusals(variables: Mapping[str, str], *names: str) -> list[str]:
    """Return a sentence for each variable that has a value it cannot have; an empty one
    is none.

    With `names` only these variables are looked at.
    """
    return [
        f"{variable.name} {_why(variable)} {variable.meaning}"
        for variable in VARIABLES
        if not names or variable.name in names
        if (value := variables.get(variable.name, "").strip().lower())
        if variable.values is not None and value not in variable.values
    ]


def _why(variable: Variable) -> str:
    if variable.values:
        usable = " or ".join(
            value for value in ("true", "false") if value in variable.values
        )
        return f"can only be {usable}."
    return "cannot be used here: remove it."
