"""A steady load that goes on while kubectl does not reach the pod that sends it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.kubernetes.stack import CLIENT, HERE, Stack
from tests.support.waiting import wait_until

# Arguments: the code that sends, and those of the code. It ends when the file is there.
BEGIN = """
rm -f /tmp/end
{ { until [ -e /tmp/end ]; do sleep 0.2; done; } | python -c "$0" "$@"; } \
</dev/null >/tmp/counts 2>&1 &
"""
READ = "cat /tmp/counts"
END = "touch /tmp/end"
END_SECONDS = 60


@contextmanager
def detached_load(stack: Stack) -> Iterator[dict[str, Any]]:
    """Send predictions during a block, and fill in the counts after it.

    They go to the address of the service: names are a matter of the cluster's DNS, of
    which a small cluster has one replica.
    """
    counts: dict[str, Any] = {}
    service = ("get", "service", "mlops-api", "-o", "jsonpath={.spec.clusterIP}")
    address = stack.kubectl(*service).strip()
    code = (HERE / "steady_load.py").read_text("utf-8")
    _run(stack, BEGIN, code, address, "/predict/iris", stack.record)
    wait_until(lambda: _run(stack, READ), END_SECONDS, 0.5)
    try:
        yield counts
    finally:
        _run(stack, END)
    wait_until(lambda: len(_run(stack, READ).splitlines()) > 1, END_SECONDS, 0.5)
    begun, *printed = _run(stack, READ).splitlines()
    assert begun == "begun"
    counts.update(json.loads("\n".join(printed)))


def _run(stack: Stack, script: str, *arguments: str) -> str:
    """Run a shell script in the client's pod, and return its output."""
    command = ("client", "--", "sh", "-c", script, *arguments)
    return stack.cluster.kubectl("exec", "-n", CLIENT, *command)
