"""Starts the stack on images that exist, compares what it shows with the files: `nox -s
smoke`.

The images are those of HEAD, built by `nox -s images -- build` or in the registry. The
stack is one of its own, on the ports of the compose file or the environment, and is
taken down in any case.
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
from scripts.loopback import open_url
from scripts.stack import throwaway, verify
from scripts.stack.settings import ROOT, Settings, StackError
from scripts.stack.verify import Health, Look, Seen

COUNTER = "predictions_total{"


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
    verify.show(seen)
    return 0


def api(settings: Settings) -> list[Seen]:
    """Compare each task's golden request with its answer, and the metrics with what was
    asked.
    """
    seen, before = verify.api(settings), counted(settings)
    tasks = []
    for manifest, answer in verify.predictions(settings):
        if fault := difference(manifest, answer):
            raise StackError(f"mlops-api, {manifest['task']}: {fault}.")
        tasks.append(manifest["task"])
    after = counted(settings)
    for task in tasks:
        if after.get(task, 0) != before.get(task, 0) + 1:
            raise StackError(
                f"mlops-api was asked for one prediction of {task}, and counted from "
                f"{before.get(task, 0):g} to {after.get(task, 0):g}: see its /metrics."
            )
    told = f"{len(tasks)} of {len(tasks)} golden requests answered and counted"
    return [*seen, Seen("Metrics", settings.url("mlops-api", "/metrics"), told)]


def difference(manifest: dict[str, Any], answer: dict[str, Any]) -> str:
    """Return in what an answer is not the manifest's; nothing if it is."""
    if answer["model_version"] != manifest["version"]:
        return f"v{answer['model_version']} answers instead of v{manifest['version']}"
    classes, expected = manifest["target"]["classes"], manifest["golden"]["answer"]
    given = [answer["probabilities"][name] for name in classes] or [
        answer["prediction"]
    ]
    pairs = zip(given, expected if classes else [expected], strict=True)
    if all(
        abs(one - two) <= manifest["tolerance"] + 1e-5 * abs(two) for one, two in pairs
    ):
        return ""
    return f"the golden request is answered with {given} instead of {expected}"


def counted(settings: Settings) -> dict[str, float]:
    """Return how many predictions the API has counted, by task."""
    with open_url(settings.url("mlops-api", "/metrics"), 30) as answer:
        lines = answer.read().decode().splitlines()
    found: dict[str, float] = {}
    for line in lines:
        if line.startswith(COUNTER):
            labels, _, value = line.rpartition(" ")
            task = labels.partition('task="')[2].partition('"')[0]
            found[task] = found.get(task, 0) + float(value)
    return found


def mlflow(settings: Settings) -> list[Seen]:
    """Compare every run that MLflow shows with its file."""
    seen, repo = verify.mlflow(settings), Repo.open(ROOT)
    runs = list(readable_runs(repo))
    if faults := compare_server(repo, settings.url("mlflow-server")):
        raise StackError(
            f"MLflow does not show {len(faults)} of the {len(runs)} runs as their files"
            f" have them, the first: {faults[0]}."
        )
    what = f"{len(runs)} of {len(runs)} runs as in their files"
    return [*seen, Seen("History", settings.url("mlflow-server"), what)]


def prometheus(settings: Settings, services: list[str]) -> list[Seen]:
    """Wait until every service that Prometheus knows of and that runs is a target, and
    up.
    """
    pools = verify.ask(settings.url("prometheus", "/api/v1/scrape_pools"))["data"][
        "scrapePools"
    ]
    expected = set(pools) & set(services)

    def up(health: Health) -> bool:
        return health.keys() >= expected and all(
            {"up"} == set(found) for found in health.values()
        )

    return verify.targets(settings, up, "not every target of Prometheus is up")


if __name__ == "__main__":
    sys.exit(console.run(main))
