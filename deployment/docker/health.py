"""Health check of a container: `health.py PORT PATH [HOST]` exits 0 if PATH answers 200.

HOST is the name that others use for the container: a server may refuse a request for a
host name that it does not know.
"""

import sys
from http.client import HTTPConnection, HTTPException

HERE = "127.0.0.1"
SECONDS = 4
SHOWN_BYTES = 300


def check(port: int, path: str, host: str = HERE) -> str:
    """Return what is wrong, an empty string if nothing is."""
    connection = HTTPConnection(HERE, port, timeout=SECONDS)
    headers = {"Host": f"{host}:{port}"}
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        status = answer.status
        body = answer.read(SHOWN_BYTES)
    except (OSError, HTTPException) as error:
        return f"no answer on port {port}: {error}"
    if status == 200:
        return ""
    text = body.decode(errors="replace")
    return f"{path} answers {status}: {text}"


if __name__ == "__main__":
    port, *others = sys.argv[1:]
    problem = check(int(port), *others)
    sys.exit(problem or 0)
