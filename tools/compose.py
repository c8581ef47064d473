"""A second compose file, with which Docker Compose leaves services out."""

import os
from pathlib import Path


def leave_out(services: list[str], file: Path) -> str:
    """Write a compose file that leaves services out; return COMPOSE_FILE's value."""
    if services:
        lines = ["services:"]
        for service in services:
            lines.append(f"  {service}: {{ profiles: [absent] }}")
    else:
        lines = ["{}"]
    text = "\n".join(lines)
    file.write_text(f"{text}\n", "utf-8")
    return os.pathsep.join(["docker-compose.yml", str(file)])
