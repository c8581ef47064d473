"""A server in the place of what Alertmanager and the worker send requests to."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Alert = tuple[str, str]  # its name, its task


class Receiver(ThreadingHTTPServer):
    """Receives the webhooks of Alertmanager, and requests meant for GitHub."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Any]] = []
        super().__init__(("0.0.0.0", 0), _Handler)

    def firing(self) -> set[Alert]:
        """Return the alerts that Alertmanager reported as firing."""
        alerts: list[dict[str, Any]] = []
        for path, content in self.requests:
            if path == "/":
                alerts += content["alerts"]
        return {identity(alert) for alert in alerts if alert["status"] == "firing"}

    def dispatched(self) -> list[tuple[str, Any]]:
        """Return the requests to GitHub."""
        return [(path, content) for path, content in self.requests if path != "/"]


def identity(alert: dict[str, Any]) -> Alert:
    """Return the name and the task of an alert."""
    labels = alert["labels"]
    return labels["alertname"], labels.get("task", "")


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, json.loads(content)))
        self.send_response(204)
        self.end_headers()

    def do_GET(self) -> None:
        content = json.dumps({"default_branch": "main"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""
