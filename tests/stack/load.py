"""A steady load of predictions on the stack, each client on a connection of its own."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.stack.engine import ADMIN_KEY, Stack, eventually

CLIENTS = 8
PATH = "/predict/iris"
HEADERS = {"Content-Type": "application/json", "X-API-Key": ADMIN_KEY}


class Load:
    """Clients that send one prediction after the other until they are stopped."""

    def __init__(self, stack: Stack, record: bytes) -> None:
        self.answered = 0
        self.failures: list[str] = []
        self._stack = stack
        self._record = record
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    def __enter__(self) -> "Load":
        self._pool = ThreadPoolExecutor(CLIENTS)
        self._clients = []
        for _ in range(CLIENTS):
            client = self._pool.submit(self._send)
            self._clients.append(client)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._pool.shutdown()
        for client in self._clients:
            client.result()

    def await_more(self, count: int) -> None:
        """Wait until so many more predictions are answered."""
        target = self.answered + count
        eventually(lambda: self.answered >= target, 60, "the load goes on")

    def print_counts(self) -> None:
        failed = len(self.failures)
        print(f"\n{self.answered} requests, {failed} failed")

    def _send(self) -> None:
        """Send until the load is stopped."""
        address = self._stack.url("API", PATH)
        with httpx.Client(trust_env=False, timeout=30) as client:
            while not self._stopped.is_set():
                failure = self._failure(client, address)
                with self._lock:
                    self.answered += 1
                    if failure:
                        self.failures.append(failure)

    def _failure(self, client: httpx.Client, address: str) -> str:
        """Return what is wrong with an answer, nothing if it is a prediction."""
        try:
            answer = client.post(address, content=self._record, headers=HEADERS)
        except httpx.HTTPError as error:
            return repr(error)
        status = answer.status_code
        return "" if status == 200 else f"{status} {answer.text}"
