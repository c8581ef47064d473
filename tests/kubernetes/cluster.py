"""A cluster that kubectl reaches under the name of a context."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

Done = subprocess.CompletedProcess[str]
FORWARDING = re.compile(r"^Forwarding from 127\.0\.0\.1:(\d+)")


class Cluster:
    """The commands that the tests need."""

    def __init__(
        self, program: Path, context: str, kubeconfig: Path | None = None
    ) -> None:
        """Use the context of a kubeconfig, by default of the user's own."""
        self._command = [str(program), "--context", context]
        if kubeconfig:
            self._command.append(f"--kubeconfig={kubeconfig}")

    def run(self, *arguments: str, text: str | None = None) -> Done:
        """Run kubectl, with a text as its input, and return how it ended."""
        command = [*self._command, *arguments]
        return subprocess.run(
            command, input=text, capture_output=True, text=True, check=False
        )

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """Run kubectl and return its output, which is also in the error."""
        done = self.run(*arguments, text=text)
        called = " ".join(arguments)
        assert done.returncode == 0, f"kubectl {called}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start kubectl with pipes for its input and output."""
        return subprocess.Popen(
            [*self._command, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def python(self, namespace: str, target: str, code: str, *arguments: str) -> str:
        """Run Python code in a pod, or in one of a deployment, and return its output."""
        inside = ("--", "python", "-c", code, *arguments)
        return self.kubectl("exec", "-n", namespace, target, *inside)

    @contextmanager
    def forwarded(self, namespace: str, target: str, port: int) -> Iterator[int]:
        """Forward a port of this machine to one in the cluster, and yield the former."""
        process = self.start("port-forward", "-n", namespace, target, f":{port}")
        try:
            assert process.stdout
            match = FORWARDING.match(process.stdout.readline())
            assert match, f"kubectl port-forward to {target} failed"
            yield int(match[1])
        finally:
            process.terminate()
            process.wait()
