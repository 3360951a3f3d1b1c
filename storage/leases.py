"""Leases: which replica does what only one may do at a time, and until when."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, or_

from storage.dialects import Insert, added, for_both, told
from storage.tables import LEASES

SKEW = timedelta(minutes=1)  # by which the clocks of two replicas may differ
_c = LEASES.c


def _take(row: Insert) -> Insert:
    new = row.excluded
    at = _c.expires_at.type
    # Nobody takes a lease for so long: whoever did was told another time by a clock that was set back since.
    is_impossible = _c.expires_at > bindparam("never", type_=at)
    free = or_(_c.holder == new.holder, _c.expires_at <= bindparam("now", type_=at), is_impossible)
    until = {"holder": new.holder, "expires_at": new.expires_at}
    return row.on_conflict_do_update(index_elements=["name"], set_=until, where=free)


_TAKE = for_both(LEASES, lambda row: told(_take(row)))


class Leases:
    """The leases, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, name: str, holder: str, now: datetime, ttl: timedelta) -> bool:
        """Take or renew the lease until `now + ttl`; False while another holder's has not run out."""
        asked = {"name": name, "holder": holder, "expires_at": now + ttl, "now": now, "never": now + ttl + SKEW}
        return added(self._connection, _TAKE, asked)

    def drop(self, name: str, holder: str) -> None:
        """Give the lease up at once; nothing happens to somebody else's."""
        self._connection.execute(delete(LEASES).where(_c.name == name, _c.holder == holder))
