"""Sends predictions, each over a new connection, until its input ends.

It runs in a pod by `python -c`, so it needs nothing but Python. Arguments: host, path
and body. It prints a line once it has begun, and in the end the counts as JSON.
"""

import http.client
import json
import sys
import threading
import time

CLIENTS = 4
PORT = 8000
HEADERS = {"Content-Type": "application/json", "Connection": "close"}


class Load:
    """Clients that send one request after the other until they are stopped."""

    def __init__(self, host: str, path: str, body: str) -> None:
        self.answered = 0
        self.longest_pause = 0.0  # seconds without an answer to any client
        self._last = time.monotonic()
        self.failures: list[str] = []
        self._request = (host, path, body)
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    def run(self) -> None:
        """Send until the input ends."""
        threads = [threading.Thread(target=self._send) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        sys.stdin.read()
        self._stopped.set()
        for thread in threads:
            thread.join()

    def _send(self) -> None:
        while not self._stopped.is_set():
            failure = self._failure()
            with self._lock:
                if failure:
                    self.failures.append(failure)
                else:
                    self._count_answer()

    def _count_answer(self) -> None:
        now = time.monotonic()
        self.longest_pause = max(self.longest_pause, now - self._last)
        self._last = now
        self.answered += 1

    def _failure(self) -> str:
        """Send one request; return what is wrong with its answer, nothing if it is right."""
        host, path, body = self._request
        connection = http.client.HTTPConnection(host, PORT, timeout=30)
        try:
            connection.request("POST", path, body, HEADERS)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            return repr(error)
        finally:
            connection.close()
        return "" if answer.status == 200 else f"{answer.status} {content[:200]!r}"


def main() -> None:
    """Run the load and print the counts."""
    load = Load(*sys.argv[1:])
    print("begun", flush=True)
    load.run()
    counts = {
        "answered": load.answered,
        "failures": load.failures,
        "longest_pause": round(load.longest_pause, 2),
    }
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
