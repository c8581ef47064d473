"""A stack that `--released --follow` keeps."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.stack import released_images
from scripts.stack.released_images import identity
from tests.stack.engine import PROJECT, eventually
from tests.stack.follower import Follower

STARTED_SECONDS = 300
LEFT_OUT = ("trainer", "mlflow-server", "grafana", "cadvisor")
# What it prints if nothing differs.
IN_SYNC = "containers and images are those of release"
# The images as Compose builds them.
LOCAL = f"ghcr.io/{PROJECT}/mlops/mlops-{{image}}:local"


class Kept(Follower):
    """A stack whose containers a process keeps."""

    def __init__(self, checkout: Path, origin: str) -> None:
        super().__init__(checkout, origin)
        # The release consists of the API's image: that of the pipeline is large.
        override = checkout.with_name("override.yml")
        text = override.read_text("utf-8")
        override.write_text(f"{text}    image: {LOCAL.format(image='pipeline')}\n")
        self.environment["COMPOSE_PROJECT_NAME"] = f"{PROJECT}-kept"
        self.log = checkout.with_name("follow.txt")

    @contextmanager
    def running(self) -> Iterator["subprocess.Popen[bytes]"]:
        """Run the process, and wait until it checks for the first time."""
        command = ["./start-mlops.sh", "--released", "--follow"]
        for service in LEFT_OUT:
            command += ["--without", service]
        with self.log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self.checkout,
                env=self.environment,
                stdout=output,
                stderr=output,
            )
        try:
            self.await_line(IN_SYNC, STARTED_SECONDS)
            yield process
        finally:
            process.kill()
            process.wait()

    def await_line(self, text: str, seconds: float) -> None:
        """Wait until the process has printed a text."""
        eventually(
            lambda: text in self.log.read_text("utf-8"), seconds, f"it prints {text}"
        )

    def image_of_the_api(self) -> str:
        """Return the ID of the image that the API's containers run.

        It is empty without a container, or if they run several images.
        """
        running = self.replicas()
        if not running:
            return ""
        # They may be replaced right now.
        done = released_images.docker("inspect", "--format", "{{.Image}}", *running)
        images = set(done.stdout.split())
        return images.pop() if len(images) == 1 else ""

    def replicas(self) -> list[str]:
        """Return the IDs of the API's running containers."""
        return self.compose("ps", "--quiet", "mlops-api").split()

    def await_image(self, address: str, seconds: float) -> None:
        """Wait until the API's containers run an image."""
        eventually(
            lambda: self.image_of_the_api() == identity(address),
            seconds,
            f"the API runs {address}",
        )
