"""Leases: which replica does what only one may do at a time, and until when."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, or_
from sqlmodel import col

from storage.dialects import added, insert
from storage.tables import LeaseRow


class Leases:
    """The leases, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, name: str, holder: str, now: datetime, ttl: timedelta) -> bool:
        """Take or renew the lease until `now + ttl`; False while another holder's has not run out."""
        until = {"holder": holder, "expires_at": now + ttl}
        free = or_(col(LeaseRow.holder) == holder, col(LeaseRow.expires_at) <= now)
        row = insert(self._connection, LeaseRow).values(name=name, **until)
        taken = row.on_conflict_do_update(index_elements=["name"], set_=until, where=free)
        return added(self._connection, taken)

    def drop(self, name: str, holder: str) -> None:
        """Give the lease up at once; nothing happens to somebody else's."""
        mine = (col(LeaseRow.name) == name, col(LeaseRow.holder) == holder)
        self._connection.execute(delete(LeaseRow).where(*mine))
