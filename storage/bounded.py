"""PostgreSQL connections that do not wait for ever for a server that has stopped answering."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

Answer = TypeVar("Answer")
# Longer than the server itself lets a statement or a lock take: what is cut here is a server that says nothing at all.
ANSWER_SECONDS = 20.0


class BoundedConnection(psycopg.Connection[Any]):
    """Every wait for an answer ends on our side too: a frozen server or proxy keeps a connection open and silent."""

    def wait(self, gen: PQGen[Answer], *arguments: Any, **more: Any) -> Answer:
        """What `gen` gives; OperationalError, and the connection is closed, when nothing comes in time."""
        return super().wait(_within(gen, self.pgconn.finish), *arguments, **more)


def _within(gen: PQGen[Answer], give_up: Callable[[], None]) -> PQGen[Answer]:
    end = time.monotonic() + ANSWER_SECONDS
    try:
        state = next(gen)
        while True:
            ready = yield state
            # Nothing is ready: the waiter only looks up, as it does ten times a second.
            if not ready and time.monotonic() > end:
                give_up()
                raise psycopg.OperationalError(f"the server has said nothing for {ANSWER_SECONDS:g} s")
            state = gen.send(ready)
    except StopIteration as done:
        answer: Answer = done.value
        return answer
