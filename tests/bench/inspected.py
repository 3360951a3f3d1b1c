"""The bot's own command, in a process that can be asked how much it keeps: `python -m tests.bench.inspected run`."""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import sys
import types
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import _lru_cache_wrapper
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from bot import unsent
from bot.__main__ import main
from bot.mesh import istio
from bot.metrics import batches, growth, prometheus
from bot.slack import outgoing

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKED = signal.SIGUSR1
ANSWER = "BENCH_ANSWER"  # the file that gets one line of JSON per question
# Whose objects may hold something for as long as the process lives: ours, and the libraries that we keep running.
HOLDERS = ("bot.", "storage.", "strategies.", "apscheduler.", "slack_bolt.", "slack_sdk.", "kubernetes.informer")
LIBRARIES = (
    "sqlalchemy.engine.",
    "sqlalchemy.pool.",
    "requests.",
    "urllib3.",
    "httpx.",
    "prometheus_client.",
    "uvicorn.",
    "queue",
    "concurrent.",
)
FORGOTTEN_AFTER = timedelta(minutes=1)
REMEMBERED = 500
SIZED = (dict, list, set, deque)


class Inspection:
    """Knows every object that there was when the start was complete, and measures their containers."""

    def __init__(self, answer: Path) -> None:
        self._answer = answer
        self._lasting: list[object] = []

    def remember(self) -> None:
        """What is there now lives as long as the process."""
        gc.collect()
        self._lasting = [each for each in gc.get_objects() if _is_holder(each)]

    def tell(self, *_: object) -> None:
        """Write one line: sizes of all containers, objects and memory in use, and the most frequent kinds of objects.

        Nothing is given back to the kernel here: what is resident is what an operator sees.
        """
        _empty_limited_caches()
        gc.collect()
        in_use = {"blocks": sys.getallocatedblocks(), "pages": _pages(), "native": _native()}
        kinds = Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())
        found = {"objects": kinds.total(), "kinds": dict(kinds.most_common(60)), "maps": self._maps(), **in_use}
        with self._answer.open("a") as file:
            file.write(json.dumps(found) + "\n")

    def _maps(self) -> dict[str, int]:
        found: Counter[str] = Counter()
        for holder in self._lasting:
            for name, value in _attributes(holder):
                size = _size(value)
                if size is not None:
                    found[f"{type(holder).__module__}.{type(holder).__qualname__}.{name}"] += size
        for module in [each for name, each in list(sys.modules.items()) if name.startswith(HOLDERS)]:
            for name, value in list(vars(module).items()):
                size = _size(value) if not name.startswith("__") else None
                if size is not None:
                    found[f"{module.__name__}.{name}"] = size
        return dict(found)


def _empty_limited_caches() -> None:
    """Of what fills up to a limit nothing is counted: it would pass for growth until the limit is reached."""
    for name, module in list(sys.modules.items()):
        for value in list(vars(module).values()) if name.startswith(HOLDERS) else ():
            if isinstance(value, _lru_cache_wrapper) and value.cache_parameters()["maxsize"] is not None:
                value.cache_clear()


class _Mallinfo(ctypes.Structure):
    """What the C library's `mallinfo2` tells, in bytes but for the counts of chunks."""

    _fields_ = (
        *((name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd")),
        *((name, ctypes.c_size_t) for name in ("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")),
    )


def _native() -> int:
    """Bytes that C code and Python's large objects have in use, without SQLite's; 0 where nobody tells."""
    try:
        ask = ctypes.CDLL(None).mallinfo2
    except (OSError, AttributeError):
        return 0
    ask.restype = _Mallinfo
    found = ask()
    return int(found.uordblks + found.hblkhd) - _pages()


def _pages() -> int:
    """Bytes of SQLite's page caches: up to 2 MB for each connection."""
    try:
        used = ctypes.CDLL("libsqlite3.so.0").sqlite3_memory_used
    except (OSError, AttributeError):
        return 0
    used.restype = ctypes.c_int64
    return int(used())


def _is_holder(each: object) -> bool:
    return str(type(each).__module__).startswith((*HOLDERS, *LIBRARIES)) and not isinstance(each, type)


def _attributes(holder: object) -> Iterator[tuple[str, Any]]:
    # As it is, not as a library's own look-up of names would have it.
    with suppress(AttributeError):
        yield from list(object.__getattribute__(holder, "__dict__").items())
    for kind in type(holder).__mro__:
        for name, slot in list(kind.__dict__.items()):
            if isinstance(slot, types.MemberDescriptorType):
                with suppress(AttributeError):
                    yield name, slot.__get__(holder)


def _size(value: object) -> int | None:
    if isinstance(value, SIZED):
        return len(value)
    if isinstance(value, SimpleQueue):
        return value.qsize()
    if isinstance(value, ThreadPoolExecutor):
        return value._work_queue.qsize()
    if isinstance(value, _lru_cache_wrapper) and value.cache_parameters()["maxsize"] is None:
        return value.cache_info().currsize
    return None


def _serve() -> None:
    inspection = Inspection(Path(os.environ[ANSWER]))
    freeze = gc.freeze

    def complete() -> None:
        # The bot freezes what its start has made: afterwards nobody can list it any more.
        inspection.remember()
        freeze()

    gc.freeze = complete
    # A bench of minutes sees what is forgotten after an hour, too.
    forgetful: tuple[Any, ...] = (batches, growth, prometheus, istio)
    for module in forgetful:
        module.FORGOTTEN_AFTER = FORGOTTEN_AFTER
    # And as many releases as fill what is limited by number.
    limited: tuple[Any, ...] = (outgoing, unsent)
    for module in limited:
        module.REMEMBERED = REMEMBERED
    signal.signal(ASKED, inspection.tell)
    main()


if __name__ == "__main__":
    _serve()
