"""Carries bytes between standard input and output and a port: `carry.py PORT`.

It runs in a container, as text after `python -c`, with the standard library alone.
"""

import os
import socket
import sys
import threading

SIZE = 65536


def main() -> None:
    """Connect, and carry both ways until the other side has closed."""
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
        threading.Thread(target=_send, args=(connection,), daemon=True).start()
        while content := connection.recv(SIZE):
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()


def _send(connection: socket.socket) -> None:
    """Send what arrives on standard input, and that it has ended."""
    while content := os.read(0, SIZE):
        connection.sendall(content)
    connection.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main()
