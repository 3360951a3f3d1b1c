"""What the processes left behind: logs, leases, threads, connections, and how they ended."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.world import World

MOST_THREADS, MOST_SOCKETS = 60, 60
# What people and on-call are told of as well: an effect given up after its time, an answer during an outage.
# Also what was answered behind a freeze, when nobody held the line any more.
EXPECTED = re.compile(
    r"gave up effect=|not answered: |not planned: |failed, and not told|bot\.slack\.sdk Failed to "
    r"(send a request|decode Slack API|check the (state of sock|current session)|retrieve WSS URL"
    r"|run a request listener: Failed to send a message as the connection is no longer active)"
)
PAST = timedelta(seconds=12)  # a claim is renewed every 3 s and lasts 9


def logged(world: World) -> Iterator[str]:
    """Tracebacks, unforeseen failures, and errors that nobody expects."""
    for replica in world.replicas:
        log = replica.child.log
        if "Traceback" in log:
            where = log.index("Traceback")
            yield f"{replica.name} logged a traceback: {log[max(where - 400, 0) : where + 3000]}"
        for line in log.splitlines():
            if re.match(r"\S+ error ", line) and not EXPECTED.search(line):
                yield f"{replica.name} logged {line}"


def errors(world: World) -> Counter[str]:
    """Expected errors by kind, for whoever reads the report."""
    lines = [line for each in world.replicas for line in each.child.log.splitlines() if re.match(r"\S+ error ", line)]
    return Counter(re.sub(r"s\d+-\d+|\d+", "#", " ".join(line.split()[2:]))[:140] for line in lines)


def held(world: World, url: str) -> Iterator[str]:
    """Leases and claims of processes that are gone, long after they ran out."""
    living = {str(replica.child.pid) for replica in world.replicas}
    engine = create_engine(url)
    now = datetime.now(UTC)
    with engine.connect() as connection:
        for row in connection.execute(text("SELECT name, holder, expires_at FROM leases")):
            if row.holder.split(":")[1] not in living and _aware(row.expires_at) > now + PAST:
                yield f"the lease {row.name} belongs to {row.holder}, which is gone, until {row.expires_at}"
        for row in connection.execute(
            text("SELECT kind, release, claimed_by, claimed_until FROM outbox WHERE state = 'claimed'")
        ):
            if row.claimed_by.split(":")[1] not in living and _aware(row.claimed_until) < now - PAST:
                yield f"{row.kind} of {row.release} is claimed by {row.claimed_by}, which is gone"
    engine.dispose()


def left_over(world: World) -> Iterator[str]:
    """Threads and connections that grew."""
    for replica in world.replicas:
        if replica.threads() > MOST_THREADS:
            yield f"{replica.name} has {replica.threads()} threads"
        if replica.sockets() > MOST_SOCKETS:
            yield f"{replica.name} has {replica.sockets()} sockets"


def ended(world: World) -> Iterator[str]:
    """Ends by SIGTERM that were not 0 or took too long."""
    for replica in world.replicas:
        for code, seconds, is_calm in replica.ends:
            if code != 0:
                yield f"{replica.name} ended with {code} after {seconds:.1f} s"
            elif seconds > (3 if is_calm else 12):
                yield f"{replica.name} took {seconds:.1f} s to end{' though nothing was wrong' if is_calm else ''}"


def _aware(at: datetime | str) -> datetime:
    found = datetime.fromisoformat(at) if isinstance(at, str) else at
    return found if found.tzinfo else found.replace(tzinfo=UTC)
