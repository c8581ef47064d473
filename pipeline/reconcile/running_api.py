"""A running API, asked whether it serves models as their manifests promise."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import requests

from core import api_key
from core.environment import is_ours
from core.manifest import Manifest

TIMEOUT_SECONDS = 10
PAUSE_SECONDS = 0.5
RELATIVE_TOLERANCE = 1e-5


class RunningApi:
    """The API at an address."""

    def __init__(self, address: str) -> None:
        """Describe the API.

        Raises:
            UsageError: the key in the environment cannot be sent; see `api_key`.
        """
        self.address = address.rstrip("/")
        self._session = requests.Session()
        self._session.headers.update(api_key.headers())
        # No proxy can reach this machine.
        self._session.trust_env = not is_ours(self.address)

    def is_alive(self) -> bool:
        """Return whether the process answers, with or without models."""
        try:
            answer = self._request("GET", "/health/live")
        except requests.RequestException:
            return False
        return answer.ok

    def wait_until_served(self, manifests: list[Manifest], seconds: float) -> str:
        """Wait until models are served and answer their golden requests.

        Returns what is wrong after so many seconds; nothing if all is well.
        """
        deadline = time.monotonic() + seconds
        while True:
            problem = self.problem(manifests)
            if not problem:
                problem = self._first_problem(self._golden_problems, manifests)
            if not problem or time.monotonic() > deadline:
                return problem
            time.sleep(PAUSE_SECONDS)

    def problem(self, manifests: list[Manifest]) -> str:
        """Return why a model is not served as its manifest promises, or nothing."""
        return self._first_problem(self._identity_problems, manifests)

    def _first_problem(
        self, look: Callable[[list[Manifest]], str], manifests: list[Manifest]
    ) -> str:
        """Return what a look at the models finds, or why the API cannot be asked."""
        try:
            return look(manifests)
        except requests.RequestException as error:
            return f"{self.address} does not answer ({type(error).__name__})"
        except (LookupError, TypeError, ValueError, AttributeError):
            return f"{self.address} does not answer as the API of this project does"

    def _identity_problems(self, manifests: list[Manifest]) -> str:
        served = self._request("GET", "/models").json()
        for manifest in manifests:
            problem = _identity_problem(manifest, served.get(manifest.task))
            if problem:
                return f"{manifest.task}: {problem}"
        return ""

    def _golden_problems(self, manifests: list[Manifest]) -> str:
        for manifest in manifests:
            problem = self._golden_problem(manifest)
            if problem:
                return f"{manifest.task}: {problem}"
        return ""

    def _golden_problem(self, manifest: Manifest) -> str:
        """Send the golden request; return how the answer differs, or nothing."""
        path = f"/predict/{manifest.task}"
        answer = self._request("POST", path, manifest.golden.request)
        if not answer.ok:
            return f"the golden request is answered with status {answer.status_code}"
        answered = _values(manifest, answer.json())
        expected = np.atleast_1d(manifest.golden.answer)
        same_shape = answered.shape == expected.shape
        tolerance = manifest.tolerance
        if same_shape and np.allclose(
            answered, expected, RELATIVE_TOLERANCE, tolerance
        ):
            return ""
        return (
            f"the golden request is answered with {answered.tolist()} instead of"
            f" {expected.tolist()}"
        )

    def _request(self, method: str, path: str, body: Any = None) -> requests.Response:
        address = self.address + path
        return self._session.request(
            method, address, json=body, timeout=TIMEOUT_SECONDS
        )


def _identity_problem(manifest: Manifest, served: Any) -> str:
    """Return how the model that is served is not that of the manifest, or nothing."""
    if served is None:
        return "no model is served"
    if served["problem"]:
        return str(served["problem"])
    if served["sha256"] != manifest.sha256 or served["version"] != manifest.version:
        return (
            f"version {served['version']} is served instead of version"
            f" {manifest.version}"
        )
    return ""


def _values(manifest: Manifest, answer: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Return an answer as the golden one is written: a number, or probabilities."""
    classes = manifest.target.classes
    if not classes:
        return np.array([answer["prediction"]])
    probabilities = answer["probabilities"]
    return np.array([probabilities[name] for name in classes])
