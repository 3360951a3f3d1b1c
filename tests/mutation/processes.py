"""A child process for each judgement, so that no change outlives it."""

from __future__ import annotations

import contextlib
import os
import resource
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CPU_SECONDS, MEMORY = 90, 4 << 30
DIED = 255


def in_child(work: Callable[[], int], *, is_bounded: bool = False) -> int:
    """What `work` answers in a fork of this process; `DIED` when it ended otherwise.

    `is_bounded`: a change that runs for ever, or fills the memory, is ended by the kernel. Processor time and not the
    clock's: a busy machine makes no difference.
    """
    child = os.fork()
    if child == 0:
        if is_bounded:
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        code = DIED
        try:
            code = work()
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else DIED


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Nothing of the tests' own output is seen."""
    with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing), contextlib.redirect_stderr(nothing):
        yield
