"""Messages: where the one live message of a release, or of a stage, stands in the chat."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from storage.dialects import Insert, for_both
from storage.tables import MESSAGES

_c = MESSAGES.c
_SHOWN = ("channel", "ts", "permalink", "revision")


def _put(row: Insert) -> Insert:
    shown = {name: row.excluded[name] for name in _SHOWN}
    return row.on_conflict_do_update(index_elements=["release", "kind"], set_=shown)


_PUT = for_both(MESSAGES, _put)


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message that was accepted by the chat; `revision` is the one it shows."""

    channel: str
    ts: str
    permalink: str
    revision: int


class Messages:
    """The messages, inside one transaction. `kind` is `root` or `stage:<n>`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, release: str, kind: str) -> StoredMessage | None:
        """The live message of this kind, None when nothing was posted yet."""
        columns = select(*(_c[name] for name in _SHOWN))
        row = self._connection.execute(columns.where(_c.release == release, _c.kind == kind)).one_or_none()
        return StoredMessage(*row) if row is not None else None

    def put(self, release: str, kind: str, message: StoredMessage) -> None:
        """From now on this message is the live one."""
        row = {"release": release, "kind": kind, **{name: getattr(message, name) for name in _SHOWN}}
        self._connection.execute(_PUT[self._connection.dialect.name], row)

    def release_at(self, channel: str, ts: str) -> str | None:
        """The release whose message stands there, None when it is nobody's."""
        return self._connection.execute(
            select(_c.release).where(_c.channel == channel, _c.ts == ts).limit(1)
        ).scalar_one_or_none()
