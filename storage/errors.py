"""Trouble with the stored state; no class of the database library leaves this package.

StorageError
 ├─ DatabaseDown       not reachable or locked: nothing was stored, try again
 │   └─ NoRoom         the disk is full: what is there can be read
 ├─ Conflict           somebody else saved this release first
 ├─ AlreadyReleasing   a route of this release belongs to an active release
 ├─ Unreadable         a stored document is not what this version can read
 └─ BadDatabase        the address or the schema is wrong: no retry cures it
"""


class StorageError(Exception):
    """The database refused a statement for a reason that this package does not foresee."""


class DatabaseDown(StorageError):
    """The database did not answer, or not in time. Nothing of the transaction was stored."""


class NoRoom(DatabaseDown):
    """The disk is full: what is stored can be read, and nothing be added."""

    def __init__(self) -> None:
        super().__init__("there is no room left on the disk of the database: nothing can be stored")


class Conflict(StorageError):
    """The release was saved by somebody else since it was read; read it again and decide anew."""

    def __init__(self, release: str) -> None:
        super().__init__(f"{release} was changed by somebody else in the meantime")
        self.release = release


class AlreadyReleasing(StorageError):
    """One route, one active release: `holder` has `route`."""

    def __init__(self, route: str, holder: str) -> None:
        super().__init__(f"route {route} belongs to {holder}")
        self.route = route
        self.holder = holder


class Unreadable(StorageError):
    """A stored document lacks what this version needs, or holds what it does not know."""


class BadDatabase(StorageError):
    """The address leads nowhere, or to something that is not ours; the text says what is allowed."""
