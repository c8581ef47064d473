"""HTTP client for the worker, which runs jobs and computes explanations."""

from typing import Any

import httpx

from app.errors import ApiError
from core import tracing

TIMEOUT_SECONDS = 60.0
RETRY_SECONDS = "5"


class WorkerClient:
    """Sends requests to the worker (Compose service `trainer`)."""

    def __init__(self, url: str) -> None:
        # Never through a proxy of the environment: the worker is ours, on this machine
        # or beside it.
        self._client = httpx.AsyncClient(
            base_url=url, timeout=TIMEOUT_SECONDS, trust_env=False
        )

    async def get(self, path: str) -> Any:
        """Return the worker's JSON answer to a GET request; raises as `post` does."""
        return await self._request("GET", path)

    async def post(self, path: str, content: Any) -> Any:
        """Send JSON to the worker and return its JSON answer.

        Raises:
            ApiError: the worker's own error with its status, or 503 if the worker does
                not answer.
        """
        return await self._request("POST", path, content)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _request(self, method: str, path: str, content: Any = None) -> Any:
        try:
            response = await self._client.request(
                method, path, json=content, headers=tracing.headers()
            )
        except httpx.HTTPError as error:
            raise self._unavailable(error) from error
        if response.is_error:
            raise ApiError(response.status_code, str(response.json()["detail"]))
        return response.json()

    def _unavailable(self, error: httpx.HTTPError) -> ApiError:
        address = self._client.base_url.netloc.decode()
        message = (
            f"the worker at {address} does not answer ({type(error).__name__}):"
            " start it with `python -m pipeline serve-worker`."
        )
        return ApiError(503, message, headers={"Retry-After": RETRY_SECONDS})
