"""Releases: the document, the columns it is found by, and the guard of its routes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, or_, select, update
from sqlmodel import col

from storage.codec import Codec
from storage.dialects import added, insert
from storage.errors import AlreadyReleasing, Conflict
from storage.tables import ReleaseNumberRow, ReleaseRouteRow, ReleaseRow, ReleaseTargetRow
from strategies.release import LOOKING, Release

_CODEC: Codec[Release] = Codec(Release)
_LOOKING = sorted(LOOKING)


@dataclass(frozen=True, slots=True)
class Stored:
    """A release as it was read; `row_version` goes back into `save`."""

    release: Release
    row_version: int


class Decoded:
    """The last text and value of each active release, shared by all transactions of one process.

    A value is given out for exactly the text it was read from, so nothing that another replica saves, and no
    transaction that is taken back, can make it wrong.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Release]] = {}

    def read(self, id: str, text: str) -> Release:
        """The release that `text` describes."""
        known = self._known.get(id)
        if known is not None and known[0] == text:
            return known[1]
        release = _CODEC.loads(text)
        self.keep(release, text)
        return release

    def keep(self, release: Release, text: str) -> None:
        """Remember what was just written; ended releases are read too seldom to be worth the memory."""
        if release.is_over:
            self._known.pop(release.id, None)
        else:
            self._known[release.id] = (text, release)


def short_name(service: str) -> str:
    """The first label of a host: release ids are short."""
    return service.partition(".")[0]


class Releases:
    """The releases, inside one transaction."""

    def __init__(self, connection: Connection, decoded: Decoded) -> None:
        self._connection = connection
        self._decoded = decoded

    def next_id(self, service: str) -> str:
        """A new id, `reviews-1`; a number is never given twice."""
        name = short_name(service)
        first = insert(self._connection, ReleaseNumberRow).values(service=name, last=1)
        counted = first.on_conflict_do_update(index_elements=["service"], set_={"last": col(ReleaseNumberRow.last) + 1})
        number = self._connection.execute(counted.returning(col(ReleaseNumberRow.last))).scalar_one()
        return f"{name}-{number}"

    def add(self, release: Release) -> None:
        """Store a new release; AlreadyReleasing when one of its routes belongs to an active one."""
        name, _, number = release.id.rpartition("-")
        text = _CODEC.dumps(release)
        fixed = {
            "id": release.id,
            "service": name,
            "number": int(number),
            "namespace": release.target.namespace,
            "baseline": release.target.baseline,
            "candidate": release.target.candidate,
            "strategy": release.plan.strategy,
            "requester_id": release.requester.id,
            "requester_name": release.requester.name,
            "created_at": release.created_at,
            "row_version": 1,
        }
        targets = [
            {
                "release_id": release.id,
                "host": target.host,
                "service": short_name(target.service),
                "namespace": target.namespace,
            }
            for target in release.targets
        ]
        with self._connection.begin_nested():  # refused means nothing of it is there, whatever the caller does next
            self._connection.execute(insert(self._connection, ReleaseRow), {**fixed, **_columns(release, text)})
            self._connection.execute(insert(self._connection, ReleaseTargetRow), targets)
            self._take_routes(release)
        self._decoded.keep(release, text)

    def save(self, release: Release, row_version: int) -> int:
        """Store the release as it is now and return its new row_version; Conflict when somebody was first."""
        text = _CODEC.dumps(release)
        changed = self._connection.execute(
            update(ReleaseRow)
            .where(col(ReleaseRow.id) == release.id, col(ReleaseRow.row_version) == row_version)
            .values(row_version=row_version + 1, **_columns(release, text))
        )
        if changed.rowcount != 1:
            raise Conflict(release.id)
        if release.is_over:
            routes = update(ReleaseRouteRow).where(col(ReleaseRouteRow.release_id) == release.id)
            self._connection.execute(routes.values(active=False))
        self._decoded.keep(release, text)
        return row_version + 1

    def get(self, id: str) -> Stored | None:
        """The release of this id, None when there is none."""
        return next(iter(self._stored(_rows().where(col(ReleaseRow.id) == id))), None)

    def active(self) -> list[Stored]:
        """Every release that is not over."""
        return self._stored(_rows().where(col(ReleaseRow.is_active).is_(True)))

    def looking(self) -> list[Stored]:
        """Every release in a phase that metrics are read for."""
        return self._stored(_rows().where(col(ReleaseRow.is_active).is_(True), col(ReleaseRow.phase).in_(_LOOKING)))

    def due(self, now: datetime) -> list[Stored]:
        """Every release whose wake_at has come, the longest waiting first."""
        return self._stored(_rows().where(col(ReleaseRow.wake_at) <= now).order_by(col(ReleaseRow.wake_at)))

    def active_versions(self) -> list[tuple[str, int]]:
        """Id and row_version of every release that is not over, without its document."""
        columns = select(col(ReleaseRow.id), col(ReleaseRow.row_version))
        rows = self._connection.execute(columns.where(col(ReleaseRow.is_active).is_(True)))
        return [(row.id, row.row_version) for row in rows]

    def wakes(self) -> list[tuple[str, datetime]]:
        """Every release that waits for a time, the earliest first."""
        at = col(ReleaseRow.wake_at)
        rows = self._connection.execute(select(col(ReleaseRow.id), at).where(at.is_not(None)).order_by(at))
        return [(row.id, row.wake_at) for row in rows]

    def next_wake(self) -> datetime | None:
        """The earliest time that a release waits for."""
        at = col(ReleaseRow.wake_at)
        return self._connection.execute(select(at).where(at.is_not(None)).order_by(at).limit(1)).scalar_one_or_none()

    def by_route(self, key: str) -> str | None:
        """The active release that has this route."""
        held = select(col(ReleaseRouteRow.release_id)).where(
            col(ReleaseRouteRow.route_key) == key, col(ReleaseRouteRow.active).is_(True)
        )
        return self._connection.execute(held).scalar_one_or_none()

    def find(self, subject: str, limit: int = 20) -> list[Stored]:
        """What a person means by an id, a service, `service.namespace` or a host; active first, then the newest."""
        service, _, namespace = subject.partition(".")
        named = col(ReleaseTargetRow.service) == service
        if namespace:
            named = or_(col(ReleaseTargetRow.host) == subject, named & (col(ReleaseTargetRow.namespace) == namespace))
        of_service = select(col(ReleaseTargetRow.release_id)).where(named)
        meant = _rows().where(or_(col(ReleaseRow.id) == subject, col(ReleaseRow.id).in_(of_service)))
        return self._stored(_newest(meant.order_by(col(ReleaseRow.is_active).desc()), limit))

    def recent(
        self,
        limit: int,
        *,
        namespace: str | None = None,
        services: Sequence[str] | None = None,
        is_active: bool | None = None,
    ) -> list[Stored]:
        """The newest releases, of one namespace, of some services, active or ended only."""
        rows = _rows()
        if namespace is not None:
            rows = rows.where(col(ReleaseRow.namespace) == namespace)
        if services is not None:
            rows = rows.where(col(ReleaseRow.service).in_([short_name(service) for service in services]))
        if is_active is not None:
            rows = rows.where(col(ReleaseRow.is_active).is_(is_active))
        return self._stored(_newest(rows, limit))

    def _stored(self, rows: Select[str, int, str]) -> list[Stored]:
        read = self._decoded.read
        return [Stored(read(id, text), version) for id, version, text in self._connection.execute(rows)]

    def _take_routes(self, release: Release) -> None:
        keys = dict.fromkeys(route.key for target in release.targets for route in target.routes)
        for key in sorted(keys):  # one order for everybody, so that two releases of several routes cannot deadlock
            row = {"release_id": release.id, "route_key": key, "active": not release.is_over}
            taken = insert(self._connection, ReleaseRouteRow).values(row).on_conflict_do_nothing()
            if not added(self._connection, taken):
                raise AlreadyReleasing(key, self.by_route(key) or "another release")


def _rows() -> Select[str, int, str]:
    return select(col(ReleaseRow.id), col(ReleaseRow.row_version), col(ReleaseRow.document))


def _newest(rows: Select[str, int, str], limit: int) -> Select[str, int, str]:
    return rows.order_by(col(ReleaseRow.created_at).desc(), col(ReleaseRow.number).desc()).limit(limit)


def _columns(release: Release, text: str) -> dict[str, object]:
    return {
        "phase": release.phase,
        "is_active": not release.is_over,
        "stage": release.stage,
        "revision": release.revision,
        "entered_at": release.entered_at,
        "wake_at": release.wake_at,
        "document": text,
    }
