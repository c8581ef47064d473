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
    try:
        connection.request("GET", path, headers={"Host": f"{host}:{port}"})
        answer = connection.getresponse()
        body = answer.read(SHOWN_BYTES)
    except (OSError, HTTPException) as error:
        return f"no answer on port {port}: {error}"
    if answer.status == 200:
        return ""
    return f"{path} answers {answer.status}: {body.decode(errors='replace')}"


if __name__ == "__main__":
    sys.exit(check(int(sys.argv[1]), *sys.argv[2:]) or 0)
