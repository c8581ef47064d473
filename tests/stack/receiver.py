"""A server that receives what Alertmanager and the worker send."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.json_content import Json

Alert = tuple[str, str]  # its name, its task


class Receiver(ThreadingHTTPServer):
    """Receives the webhooks of Alertmanager, and requests meant for GitHub."""

    def __init__(self) -> None:
        self.notifications: list[Json] = []
        self.dispatched: list[tuple[str, Any]] = []  # paths and bodies for GitHub
        super().__init__(("0.0.0.0", 0), _Handler)

    def firing(self) -> set[Alert]:
        """Return the alerts that Alertmanager reported as firing."""
        firing = set()
        for notification in self.notifications:
            for alert in notification["alerts"]:
                if alert["status"] == "firing":
                    firing.add(identity(alert))
        return firing


def identity(alert: Json) -> Alert:
    """Return the name and the task of an alert."""
    labels = alert["labels"]
    task = labels.get("task", "")
    return labels["alertname"], task


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        content = json.loads(self.rfile.read(length))
        if self.path == "/":
            self.server.notifications.append(content)
        else:
            self.server.dispatched.append((self.path, content))
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
