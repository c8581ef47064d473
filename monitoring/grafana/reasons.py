"""Why a panel may have nothing to show, and what to do then: in place of "No data"."""

from core.distributions import LEAST

NO_API = (
    "No figures of the API: is mlops-api running, and up on the dashboard System"
    " performance?"
)
NO_TRAFFIC = "No requests in this time. `./scripts/nox.sh -s traffic` makes some."
NO_DRIFT = (
    f"No verdict yet: it takes {2 * LEAST} predictions by the version in service. "
    f"`./scripts/nox.sh -s traffic -- --rows {2 * LEAST}` makes them."
)
NO_PSI = (
    f"Not measured yet: it takes {LEAST} predictions by the version in service, and"
    " thresholds in its manifest."
)
NO_FEEDBACK = (
    "No feedback yet: POST /feedback tells the API what turned out to be true."
)
NO_MACHINE = (
    "No figures of the machine: Node Exporter does not run here. Docker Desktop's would"
    " be those of its virtual machine."
)
NO_CONTAINERS = (
    "No figures of containers: cAdvisor does not run here, or it is Docker Desktop,"
    " which hides the containers from it."
)
NO_HISTORY = (
    "Nothing here? Is mlflow-server running, and is there a push in mlruns/? It tells"
    " within a minute."
)
