"""Messages: where the one live message of a release, or of a stage, stands in the chat."""

from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlmodel import col

from storage.dialects import insert
from storage.tables import MessageRow


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
        columns = select(
            col(MessageRow.channel), col(MessageRow.ts), col(MessageRow.permalink), col(MessageRow.revision)
        )
        of = columns.where(col(MessageRow.release) == release, col(MessageRow.kind) == kind)
        row = self._connection.execute(of).one_or_none()
        return StoredMessage(*row) if row is not None else None

    def put(self, release: str, kind: str, message: StoredMessage) -> None:
        """From now on this message is the live one."""
        where = {"release": release, "kind": kind}
        shown = {
            "channel": message.channel,
            "ts": message.ts,
            "permalink": message.permalink,
            "revision": message.revision,
        }
        row = insert(self._connection, MessageRow).values(**where, **shown)
        self._connection.execute(row.on_conflict_do_update(index_elements=["release", "kind"], set_=shown))
