"""Starts the stack from existing images and checks what it shows: `nox -s smoke`.

The images are those of HEAD, from `nox -s images -- build` or from the registry. The
stack has a Compose project of its own, uses the ports of the compose file or of the
environment, and is always taken down afterwards.
"""

import signal
import sys
from functools import partial

from core import environment
from core.counts import counted
from core.errors import PipelineError
from pipeline.repo import Repo
from scripts import console
from scripts.history_checks import compare_server, readable_runs
from scripts.loopback import ask, open_url
from scripts.stack import admin_key, monitoring, throwaway, verify
from scripts.stack.monitoring import Health
from scripts.stack.seen import Look, Seen, show
from scripts.stack.settings import ROOT, Settings, StackError
from scripts.stack.verify import Json

COUNTER = "predictions_total{"
RELATIVE = 1e-5  # the precision that JSON may lose, as a share of a value


def main() -> int:
    """Return 0 if the stack shows what is in the files, else 1 after one sentence."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a job that is cancelled
    environment.prepare()
    try:
        chosen = admin_key.added_to(Settings.read())
        with throwaway.stack(chosen) as (settings, services):
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
    before = counted_predictions(settings)
    tasks = []
    for manifest, answer in verify.predictions(settings):
        task = manifest["task"]
        fault = difference(manifest, answer)
        if fault:
            raise StackError(f"mlops-api, {task}: {fault}.")
        tasks.append(task)
    after = counted_predictions(settings)
    for task in tasks:
        first = before.get(task, 0)
        last = after.get(task, 0)
        if last != first + 1:
            raise StackError(
                f"mlops-api was asked for one prediction of {task}, and counted from "
                f"{first:g} to {last:g}: see its /metrics."
            )
    count = len(tasks)
    text = f"{count} of {counted(count, 'golden request')} answered and counted"
    address = settings.url("mlops-api", "/metrics")
    seen.append(Seen("Metrics", address, text))
    return seen


def difference(manifest: Json, answer: Json) -> str:
    """Return how an answer differs from the manifest's; nothing if it does not."""
    version = answer["model_version"]
    expected_version = manifest["version"]
    if version != expected_version:
        return f"v{version} answers instead of v{expected_version}"
    classes = manifest["target"]["classes"]
    golden = manifest["golden"]["answer"]
    if classes:
        expected = golden
        actual = [answer["probabilities"][name] for name in classes]
    else:
        expected = [golden]
        actual = [answer["prediction"]]
    for value, wanted in zip(actual, expected, strict=True):
        tolerance = manifest["tolerance"]
        tolerance += RELATIVE * abs(wanted)
        if abs(value - wanted) > tolerance:
            return f"the golden request is answered with {actual} instead of {golden}"
    return ""


def counted_predictions(settings: Settings) -> dict[str, float]:
    """Return how many predictions the API has counted, by task."""
    address = settings.url("mlops-api", "/metrics")
    with open_url(address, 30) as answer:
        text = answer.read().decode()
    counts: dict[str, float] = {}
    for line in text.splitlines():
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
    faults = compare_server(repo, address)
    if faults:
        raise StackError(
            f"MLflow does not show {len(faults)} of the {counted(runs, 'run')} as their"
            f" files have them, the first: {faults[0]}."
        )
    seen.append(
        Seen(
            "History", address, f"{runs:,} of {counted(runs, 'run')} as in their files"
        )
    )
    return seen


def prometheus(settings: Settings, services: list[str]) -> list[Seen]:
    """Wait until every service that runs and has a scrape job is an up target."""
    answer = ask(settings.url("prometheus", "/api/v1/scrape_pools"))
    pools = answer["data"]["scrapePools"]
    expected = set(pools) & set(services)

    def all_up(health: Health) -> bool:
        for states in health.values():
            if set(states) != {"up"}:
                return False
        return health.keys() >= expected

    return monitoring.targets(settings, all_up, "not every target of Prometheus is up")


if __name__ == "__main__":
    sys.exit(console.run(main))
