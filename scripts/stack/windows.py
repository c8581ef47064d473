"""Ends services on Windows, which has no SIGTERM: by Ctrl-C in their own console.

Every service is started with a hidden console. `python -m scripts.stack.windows PID
SECONDS` joins the console of a process, presses Ctrl-C for all that run in it, and
waits until they have ended; those that remain after the time are ended by force.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from typing import Any

# Flags of CreateProcess: a hidden console of its own, and none at all.
HIDDEN_CONSOLE = 0x08000000
NO_CONSOLE = 0x00000008
CTRL_C = 0
MOST_PROCESSES = 256
# Events that end a console: Ctrl-Break, the window is closed, the user logs off,
# shut-down.
ENDING = (1, 2, 5, 6)
KILLED = 1
TERMINATE = 0x0001


# Functions that the system calls back, which must not be garbage-collected.
_kept: list[object] = []


def ask_to_end(process: int, seconds: float) -> "subprocess.Popen[bytes]":
    """Start a program that ends all that runs in a process' console; return it."""
    command = [sys.executable, "-m", __name__, str(process), str(seconds)]
    return subprocess.Popen(command, creationflags=NO_CONSOLE)


def interrupt_when_console_ends() -> None:
    """Turn the end of this program's console, say of its window, into Ctrl-C."""
    if os.name != "nt":
        return

    handler = ctypes.WINFUNCTYPE(ctypes.c_bool, ctypes.c_uint)  # type: ignore[attr-defined]
    _kept.append(handler(_interrupt))
    _kernel().SetConsoleCtrlHandler(_kept[-1], True)


def _interrupt(event: int) -> bool:
    if event not in ENDING:
        return False
    signal.raise_signal(signal.SIGINT)
    while True:  # the system ends the program as soon as this returns
        time.sleep(1)


def main(process: int, seconds: float) -> int:
    """End what runs in the console of a process; return 0 if nothing had to be forced."""
    kernel = _kernel()
    if not kernel.AttachConsole(process):
        return 0  # The process has ended.
    kernel.SetConsoleCtrlHandler(None, True)  # the Ctrl-C is not for this program
    kernel.GenerateConsoleCtrlEvent(CTRL_C, 0)
    processes = (ctypes.c_uint32 * MOST_PROCESSES)()
    deadline = time.monotonic() + seconds
    while True:
        count = kernel.GetConsoleProcessList(processes, MOST_PROCESSES)
        if count <= 1:  # this program
            return 0
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    kernel.FreeConsole()
    for number in processes[:count]:
        handle = kernel.OpenProcess(TERMINATE, False, number)
        if handle:
            kernel.TerminateProcess(handle, KILLED)
            kernel.CloseHandle(handle)
    return 1


def _kernel() -> Any:
    return ctypes.windll.kernel32  # type: ignore[attr-defined]


if __name__ == "__main__":
    process_number, seconds = sys.argv[1:]
    sys.exit(main(int(process_number), float(seconds)))
