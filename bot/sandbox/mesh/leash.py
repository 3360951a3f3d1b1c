"""Starts a program so that it cannot outlive the sandbox, however the sandbox ends.

On Linux the kernel sends the program SIGTERM when its parent goes (PR_SET_PDEATHSIG, which fires when the
parent's starting *thread* ends: start from the main thread). Elsewhere a small process stays between the two and
watches a pipe. Run by path as a script of its own, so it imports the standard library alone.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading

PR_SET_PDEATHSIG = 1


def command(program: list[str]) -> list[str]:
    """The command line that runs `program` on the leash; its standard input must be a pipe of ours."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *program]


def main() -> None:
    """Become the program on Linux; watch over it elsewhere."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if os.uname().sysname == "Linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        # The parent may have gone before the kernel was asked.
        if os.getppid() != parent:
            sys.exit(1)
        os.execv(program[0], program)  # noqa: S606 - the point of the leash
    child = subprocess.Popen(program, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        sys.stdin.buffer.read()
        child.terminate()

    threading.Thread(target=watch, daemon=True).start()
    sys.exit(child.wait())


if __name__ == "__main__":
    main()
