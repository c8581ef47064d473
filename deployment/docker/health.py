"""What a container is asked about its health: `health.py PORT PATH [NAME]`, 0 if it
answers 200.

NAME is what others call the container: a server may refuse a request for a name it does
not know.
"""

import sys
from http.client import HTTPConnection, HTTPException

port, path, name = (*sys.argv[1:], "127.0.0.1")[:3]
try:
    connection = HTTPConnection("127.0.0.1", int(port), timeout=4)
    connection.request("GET", path, headers={"Host": f"{name}:{port}"})
    answer = connection.getresponse()
except (OSError, HTTPException) as error:
    sys.exit(f"no answer on port {port}: {error}")
if answer.status != 200:
    sys.exit(
        f"{path} answers {answer.status}: {answer.read(300).decode(errors='replace')}"
    )
