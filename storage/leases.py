"""Leases: which replica does what only one may do at a time, and until when."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, or_

from storage.dialects import Insert, added, for_both, told
from storage.tables import LEASES

_c = LEASES.c


def _take(row: Insert) -> Insert:
    new = row.excluded
    free = or_(_c.holder == new.holder, _c.expires_at <= bindparam("now", type_=_c.expires_at.type))
    until = {"holder": new.holder, "expires_at": new.expires_at}
    return row.on_conflict_do_update(index_elements=["name"], set_=until, where=free)


_TAKE = for_both(LEASES, lambda row: told(_take(row)))


class Leases:
    """The leases, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, name: str, holder: str, now: datetime, ttl: timedelta) -> bool:
        """Take or renew the lease until `now + ttl`; False while another holder's has not run out."""
        asked = {"name": name, "holder": holder, "expires_at": now + ttl, "now": now}
        return added(self._connection, _TAKE, asked)

    def drop(self, name: str, holder: str) -> None:
        """Give the lease up at once; nothing happens to somebody else's."""
        self._connection.execute(delete(LEASES).where(_c.name == name, _c.holder == holder))
