"""Traces of containers and commands, whole, as Jaeger shows them by its HTTP API."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.git import git
from pipeline.repo import Repo
from tests.paths import ROOT
from tests.stack.engine import PLACE, Stack, eventually
from tests.stack.jaeger import CALLER, Span, new_trace, wait_for
from tests.support import factories

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACED = ("mlops-api", "trainer")


def served(stack: Stack, task: str) -> dict[str, Any]:
    """Return the manifest of the model in service."""
    path = stack.checkout / "deployment" / "models" / task / "manifest.json"
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def about(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what a span says of the model that gave an answer."""
    run = {"model_version": manifest["version"], "run_id": manifest["run_id"]}
    return {"task": manifest["task"], **run}


def whole(stack: Stack, trace: str, parents: dict[str, str]) -> dict[str, Span]:
    """Wait for a trace of these spans and no others; each has this parent, or the
    caller.
    """
    spans = wait_for(stack, trace, set(parents))
    for name, parent in parents.items():
        assert spans[name].parent == (spans[parent].id if parent else CALLER), name
        assert spans[name].resource["deployment.environment.name"] == PLACE
        version = spans[name].resource["service.version"]
        assert version.endswith(stack.environment["REVISION"][:12]), version
    return spans


def test_a_prediction_is_a_trace_of_its_steps(stack: Stack) -> None:
    trace, header = new_trace()
    manifest, root = served(stack, "iris"), "api: POST /predict/{task}"
    record = manifest["golden"]["request"]
    stack.ask("API", "/predict/iris", [record, record], traceparent=header)
    steps = [f"api: {step}" for step in ("validation", "inference", "prediction log")]
    spans = whole(stack, trace, {root: "", **dict.fromkeys(steps, root)})
    for step in steps:
        rows = {} if step == "api: validation" else {"rows": 2}
        assert (about(manifest) | rows).items() <= spans[step].attributes.items()
    told = {
        "http.response.status_code": 200,
        "url.path": "/predict/iris",
        "span.kind": "server",
    }
    assert told.items() <= spans[root].attributes.items()


def test_an_explanation_is_one_trace_of_two_containers(stack: Stack) -> None:
    trace, header = new_trace()
    manifest = served(stack, "iris")
    stack.ask("API", "/explain/iris", manifest["golden"]["request"], traceparent=header)
    spans = whole(
        stack,
        trace,
        {
            "api: POST /explain/{task}": "",
            "api: explanation": "api: POST /explain/{task}",
            "trainer: POST /explain/{task}": "api: explanation",
            "trainer: SHAP values": "trainer: POST /explain/{task}",
        },
    )
    assert about(manifest).items() <= spans["api: explanation"].attributes.items()
    values = {"task": "iris", "rows": 1}
    assert values.items() <= spans["trainer: SHAP values"].attributes.items()


def test_a_retraining_is_one_trace_from_the_request_to_the_fits(stack: Stack) -> None:
    trace, header = new_trace()
    parameters = stack.checkout / "params.yaml"
    usual, body = parameters.read_bytes(), {"tasks": ["iris"], "reason": "a test"}
    parameters.write_text(
        factories.PARAMS % 1
    )  # few candidates, which are fitted in seconds
    try:
        job = stack.ask("API", "/retrain?wait=0", body, traceparent=header)["id"]
        ended = eventually(
            lambda: (found := stack.ask("API", f"/jobs/{job}"))["ended"] and found,
            180,
            "it ends",
        )
    finally:
        parameters.write_bytes(usual)
    assert ended["status"] == "succeeded", ended["error"]
    spans = whole(
        stack,
        trace,
        {
            "api: POST /retrain": "",
            "trainer: POST /jobs": "api: POST /retrain",
            "trainer: job retrain": "trainer: POST /jobs",
            "trainer: train task": "trainer: job retrain",
            "trainer: fetch data": "trainer: train task",
            "trainer: fit candidates": "trainer: train task",
        },
    )
    fitted = {"task": "iris", "rows": 150}
    assert fitted.items() <= spans["trainer: fit candidates"].attributes.items()


def test_a_publication_is_a_trace_of_its_decisions(
    stack: Stack, clone: Callable[..., Repo], tmp_path: Path
) -> None:
    (jaeger,) = stack.containers("jaeger")
    (network,) = jaeger["NetworkSettings"]["Networks"].values()
    trace, header = new_trace()
    repo, folder = clone("team"), tmp_path / "bundle"
    factories.bundle(
        folder, git(repo.root, "rev-parse", "HEAD"), {"iris": 0.05}, seed=1
    )
    variables = {
        ENDPOINT: f"http://{network['IPAddress']}:4318",
        "TRACEPARENT": header,
        "MLOPS_REVISION": stack.environment["REVISION"],
        "MLOPS_ENVIRONMENT": PLACE,
    }
    publish = ["--repo", repo.root, "publish", "--bundle", folder]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *publish],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    root, judged = "pipeline: pipeline publish", "pipeline: judge challenger"
    spans = whole(stack, trace, {root: "", judged: root})
    assert spans[root].attributes["commit"] == done.stdout.strip()
    told = {"task": "iris", "decision": "promoted"}
    assert told.items() <= spans[judged].attributes.items()


def test_without_a_collector_nothing_is_traced(stack: Stack) -> None:
    usual = {
        key: text for key, text in stack.environment.items() if key not in (ENDPOINT,)
    }
    command = ["docker", "compose", "config", "--format", "json"]
    usual["COMPOSE_PROFILES"] = ""
    said = subprocess.check_output(command, cwd=stack.checkout, env=usual, text=True)
    services = json.loads(said)["services"]
    assert "jaeger" not in services
    for name in TRACED:
        assert services[name]["environment"][ENDPOINT] is None
