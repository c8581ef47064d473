"""Traces of containers and commands, complete, as the HTTP API of Jaeger shows them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from core.git import git
from tests.conftest import Clone
from tests.paths import ROOT
from tests.stack.engine import PLACE, Stack
from tests.stack.jaeger import CALLER, Span, new_trace, wait_for
from tests.support import factories

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACED = ("mlops-api", "trainer")


def attributes_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes by which a span names the model that answered."""
    return {
        "task": manifest["task"],
        "model_version": manifest["version"],
        "run_id": manifest["run_id"],
    }


def has(span: Span, expected: dict[str, Any]) -> bool:
    """Return whether a span has these attributes among others."""
    return expected.items() <= span.attributes.items()


def trace_of(stack: Stack, trace: str, parents: dict[str, str]) -> dict[str, Span]:
    """Wait for a trace of these spans and no others; each has this parent, or the
    caller.
    """
    spans = wait_for(stack, trace, set(parents))
    revision = stack.environment["REVISION"][:12]
    for name, parent in parents.items():
        span = spans[name]
        expected = spans[parent].id if parent else CALLER
        assert span.parent == expected, name
        assert span.resource["deployment.environment.name"] == PLACE
        assert span.resource["service.version"].endswith(revision)
    return spans


def test_a_prediction_is_a_trace_of_its_steps(stack: Stack) -> None:
    trace, header = new_trace()
    manifest = stack.manifest("iris")
    record = manifest["golden"]["request"]
    stack.ask("API", "/predict/iris", [record, record], traceparent=header)
    root = "api: POST /predict/{task}"
    validation = "api: validation"
    inference = "api: inference"
    log = "api: prediction log"
    parents = {
        root: "",
        validation: root,
        inference: root,
        log: root,
    }
    spans = trace_of(stack, trace, parents)
    model = attributes_of(manifest)
    assert has(spans[validation], model)
    assert has(spans[inference], model | {"rows": 2})
    assert has(spans[log], model | {"rows": 2})
    request = {
        "http.response.status_code": 200,
        "url.path": "/predict/iris",
        "span.kind": "server",
    }
    assert has(spans[root], request)


def test_an_explanation_is_one_trace_of_two_containers(stack: Stack) -> None:
    trace, header = new_trace()
    manifest = stack.manifest("iris")
    record = manifest["golden"]["request"]
    stack.ask("API", "/explain/iris", record, traceparent=header)
    parents = {
        "api: POST /explain/{task}": "",
        "api: explanation": "api: POST /explain/{task}",
        "trainer: POST /explain/{task}": "api: explanation",
        "trainer: SHAP values": "trainer: POST /explain/{task}",
    }
    spans = trace_of(stack, trace, parents)
    assert has(spans["api: explanation"], attributes_of(manifest))
    assert has(spans["trainer: SHAP values"], {"task": "iris", "rows": 1})


def test_a_retraining_is_one_trace_from_the_request_to_the_fits(stack: Stack) -> None:
    trace, header = new_trace()
    parameters = stack.checkout / "params.yaml"
    content = parameters.read_bytes()
    request = {"tasks": ["iris"], "reason": "a test"}
    # Few candidates, which are fitted in seconds.
    parameters.write_text(factories.PARAMS % 1)
    try:
        job = stack.ask("API", "/retrain?wait=0", request, traceparent=header)
        ended = stack.finished_job(job["id"], 180)
    finally:
        parameters.write_bytes(content)
    assert ended["status"] == "succeeded", ended["error"]
    parents = {
        "api: POST /retrain": "",
        "trainer: POST /jobs": "api: POST /retrain",
        "trainer: job retrain": "trainer: POST /jobs",
        "trainer: train task": "trainer: job retrain",
        "trainer: fetch data": "trainer: train task",
        "trainer: fit candidates": "trainer: train task",
    }
    spans = trace_of(stack, trace, parents)
    assert has(spans["trainer: fit candidates"], {"task": "iris", "rows": 150})


def test_a_publication_is_a_trace_of_its_decisions(
    stack: Stack, clone: Clone, tmp_path: Path
) -> None:
    trace, header = new_trace()
    repo = clone("team")
    bundle = tmp_path / "bundle"
    head = git(repo.root, "rev-parse", "HEAD")
    factories.bundle(bundle, head, {"iris": 0.05}, seed=1)
    variables = {
        ENDPOINT: f"http://{address_of_jaeger(stack)}:4318",
        "TRACEPARENT": header,
        "MLOPS_REVISION": stack.environment["REVISION"],
        "MLOPS_ENVIRONMENT": PLACE,
    }
    publish = ["--repo", repo.root, "publish", "--bundle", bundle]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *publish],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    commit = done.stdout.strip()
    root = "pipeline: pipeline publish"
    decision = "pipeline: judge challenger"
    spans = trace_of(stack, trace, {root: "", decision: root})
    assert spans[root].attributes["commit"] == commit
    assert has(spans[decision], {"task": "iris", "decision": "promoted"})


def address_of_jaeger(stack: Stack) -> str:
    """Return the address of the container in the network of the stack."""
    (jaeger,) = stack.containers("jaeger")
    (network,) = jaeger["NetworkSettings"]["Networks"].values()
    return str(network["IPAddress"])


def test_without_a_collector_nothing_is_traced(stack: Stack) -> None:
    environment = dict(stack.environment)
    del environment[ENDPOINT]
    environment["COMPOSE_PROFILES"] = ""
    output = subprocess.check_output(
        ["docker", "compose", "config", "--format", "json"],
        cwd=stack.checkout,
        env=environment,
        text=True,
    )
    services = json.loads(output)["services"]
    assert "jaeger" not in services
    for name in TRACED:
        assert services[name]["environment"][ENDPOINT] is None
