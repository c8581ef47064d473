"""Stands where cAdvisor cannot be had: the containers' real figures under cAdvisor's names.

A program of its own, started in a container beside the stack: it asks the Docker engine over its
socket and answers Prometheus on port 8080, with the standard library alone.
"""

import http.client
import json
import socket
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

SOCKET = "/var/run/docker.sock"
PROJECT = "com.docker.compose.project"
KEPT = (PROJECT, "com.docker.compose.service")


class Engine(http.client.HTTPConnection):
    """A connection to the Docker engine."""

    def connect(self) -> None:
        """Connect to its socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(SOCKET)


def ask(path: str) -> Any:
    """Return what the engine knows."""
    engine = Engine("engine")
    engine.request("GET", path)
    answer = json.load(engine.getresponse())
    engine.close()
    return answer


def samples(project: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield name, labels and value of each figure of a project's containers."""
    only = quote(json.dumps({"label": [f"{PROJECT}={project}"]}))
    for found in ask(f"/containers/json?filters={only}"):
        about = ask(f"/containers/{found['Id']}/json")
        now = ask(f"/containers/{found['Id']}/stats?stream=false&one-shot=true")
        labels = {"name": about["Name"].lstrip("/"), "id": f"/docker/{found['Id']}"}
        for kept in KEPT:
            labels[f"container_label_{kept.replace('.', '_')}"] = found["Labels"][kept]
        memory = now["memory_stats"]
        idle = memory["stats"].get("inactive_file", memory["stats"].get("total_inactive_file", 0))
        started = datetime.fromisoformat(about["State"]["StartedAt"][:19] + "+00:00")
        processor = {"cpu": "total"}
        yield (
            "container_cpu_usage_seconds_total",
            labels | processor,
            now["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9,
        )
        yield "container_memory_working_set_bytes", labels, memory["usage"] - idle
        yield "container_spec_memory_limit_bytes", labels, about["HostConfig"]["Memory"]
        yield "container_start_time_seconds", labels, started.timestamp()
        for device, wire in now.get("networks", {}).items():
            own = labels | {"interface": device}
            yield "container_network_receive_bytes_total", own, wire["rx_bytes"]
            yield "container_network_transmit_bytes_total", own, wire["tx_bytes"]


def text(project: str) -> str:
    """Return the figures in Prometheus' text format, those of one name together."""
    lines = []
    for name, labels, value in sorted(samples(project), key=lambda sample: sample[0]):
        told = ",".join(f'{key}="{content}"' for key, content in labels.items())
        lines.append(f"{name}{{{told}}} {value}\n")
    return "".join(lines)


class Answer(BaseHTTPRequestHandler):
    """Answers scrapes."""

    project = ""

    def do_GET(self) -> None:
        """Tell the figures of now."""
        body = text(self.project).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    import sys

    Answer.project = sys.argv[1]
    ThreadingHTTPServer(("", 8080), Answer).serve_forever()
