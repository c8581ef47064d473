"""Starts the stack from existing images and checks what it shows: `nox -s smoke`.

The images are those of HEAD, built by `nox -s images -- build` or in the registry. The
stack has a Compose project of its own, on the ports of the compose file or the
environment, and is taken down in any case.
"""

import signal
import sys
from functools import partial
from typing import Any

from core import environment
from core.errors import PipelineError
from pipeline.repo import Repo
from scripts import console
from scripts.history_checks import compare_server, readable_runs
from scripts.loopback import ask, open_url
from scripts.stack import monitoring, throwaway, verify
from scripts.stack.monitoring import Health
from scripts.stack.seen import Look, Seen, show
from scripts.stack.settings import ROOT, Settings, StackError

COUNTER = "predictions_total{"
RELATIVE = 1e-5  # what JSON may lose, as a share of a value


def main() -> int:
    """Return 0 if all is as the files say, else 1 after one sentence."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a job that is cancelled
    environment.prepare()
    try:
        with throwaway.stack(Settings.read()) as (settings, services):
            closer: dict[str, Look] = {
                "mlops-api": api,
                "mlflow-server": mlflow,
                "prometheus": partial(prometheus, services=services),
            }
            seen = verify.everything(settings, services, closer)
    except (StackError, PipelineError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        return 1
    print("the stack shows what the files say:")
    show(seen)
    return 0


def api(settings: Settings) -> list[Seen]:
    """Compare each golden request with its answer, and the metrics with the requests."""
    seen = verify.api(settings)
    before = counted(settings)
    tasks = []
    for manifest, answer in verify.predictions(settings):
        task = manifest["task"]
        if fault := difference(manifest, answer):
            raise StackError(f"mlops-api, {task}: {fault}.")
        tasks.append(task)
    after = counted(settings)
    for task in tasks:
        count = before.get(task, 0)
        if after.get(task, 0) != count + 1:
            raise StackError(
                f"mlops-api was asked for one prediction of {task}, and counted from "
                f"{count:g} to {after.get(task, 0):g}: see its /metrics."
            )
    what = f"{len(tasks)} of {len(tasks)} golden requests answered and counted"
    return [*seen, Seen("Metrics", settings.url("mlops-api", "/metrics"), what)]


def difference(manifest: dict[str, Any], answer: dict[str, Any]) -> str:
    """Return how an answer differs from the manifest's; nothing if it does not."""
    version = answer["model_version"]
    if version != manifest["version"]:
        return f"v{version} answers instead of v{manifest['version']}"
    classes = manifest["target"]["classes"]
    golden = manifest["golden"]["answer"]
    if classes:
        expected = golden
        actual = [answer["probabilities"][name] for name in classes]
    else:
        expected = [golden]
        actual = [answer["prediction"]]
    for value, wanted in zip(actual, expected, strict=True):
        tolerance = manifest["tolerance"] + RELATIVE * abs(wanted)
        if abs(value - wanted) > tolerance:
            return f"the golden request is answered with {actual} instead of {golden}"
    return ""


def counted(settings: Settings) -> dict[str, float]:
    """Return how many predictions the API has counted, by task."""
    with open_url(settings.url("mlops-api", "/metrics"), 30) as answer:
        lines = answer.read().decode().splitlines()
    counts: dict[str, float] = {}
    for line in lines:
        if line.startswith(COUNTER):
            labels, _, value = line.rpartition(" ")
            _, _, rest = labels.partition('task="')
            task, _, _ = rest.partition('"')
            counts[task] = counts.get(task, 0) + float(value)
    return counts


def mlflow(settings: Settings) -> list[Seen]:
    """Compare every run that MLflow shows with its file."""
    seen = verify.mlflow(settings)
    repo = Repo.open(ROOT)
    runs = len(list(readable_runs(repo)))
    address = settings.url("mlflow-server")
    if faults := compare_server(repo, address):
        raise StackError(
            f"MLflow does not show {len(faults)} of the {runs} runs as their files"
            f" have them, the first: {faults[0]}."
        )
    what = f"{runs} of {runs} runs as in their files"
    return [*seen, Seen("History", address, what)]


def prometheus(settings: Settings, services: list[str]) -> list[Seen]:
    """Wait until every service that runs and has a scrape job is an up target."""
    answer = ask(settings.url("prometheus", "/api/v1/scrape_pools"))
    expected = set(answer["data"]["scrapePools"]) & set(services)

    def all_up(health: Health) -> bool:
        up = all(set(states) == {"up"} for states in health.values())
        return up and health.keys() >= expected

    return monitoring.targets(settings, all_up, "not every target of Prometheus is up")


if __name__ == "__main__":
    sys.exit(console.run(main))
