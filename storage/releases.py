"""Releases: the document, the columns it is found by, and the guard of its routes."""

import logging
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, insert, or_, select, union, update
from sqlalchemy import text as sql_text
from sqlalchemy.exc import IntegrityError

from storage.codec import Codec
from storage.dialects import added, for_both, told
from storage.errors import AlreadyReleasing, Conflict, Unreadable
from storage.pieces import Pieces, Piecewise, text_of
from storage.tables import NUMBERS, RELEASES, ROUTES, TARGETS
from strategies.release import Phase, Release

log = logging.getLogger(__name__)

_CODEC: Codec[Release] = Codec(Release)
_PIECEWISE: Piecewise[Release] = Piecewise(Release)
_c = RELEASES.c
_CHANGING = ("phase", "is_active", "stage", "revision", "entered_at", "wake_at", "document")
_SAVE = (
    update(RELEASES)
    .where(_c.id == bindparam("saved"), _c.row_version == bindparam("expected"))
    .values(row_version=_c.row_version + 1, **{name: bindparam(name) for name in _CHANGING})
)
_COUNT = for_both(
    NUMBERS,
    lambda row: row.on_conflict_do_update(index_elements=["service"], set_={"last": NUMBERS.c.last + 1}).returning(
        NUMBERS.c.last
    ),
)
_TAKE_ROUTE = for_both(ROUTES, lambda row: told(row.on_conflict_do_nothing()))
_FREE_ROUTES = update(ROUTES).where(ROUTES.c.release_id == bindparam("of_release")).values(active=False)
_RETAKE_ROUTES = update(ROUTES).where(ROUTES.c.release_id == bindparam("of_release")).values(active=True)


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

    LASTING = 60.0  # seconds: longer than any transaction that may still write what it has read

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Release]] = {}
        self._pieces: dict[str, Pieces] = {}
        self._missed: dict[str, float] = {}
        self._lock = threading.Lock()

    def read(self, id: str, text: str) -> Release:
        """The release that `text` describes."""
        known = self._known.get(id)
        if known is not None and known[0] == text:
            return known[1]
        release, document = _CODEC.read(text)
        self.keep(release, text)
        if document:
            # A later version shares the database, as during an upgrade: what only it knows goes along with every save.
            with self._lock:
                self._pieces[id] = _PIECEWISE.carried(release, document)
        return release

    def written(self, release: Release) -> str:
        """The text of `release`; what did not change since it was written last is not written anew."""
        pieces = _PIECEWISE.pieces(release, self._pieces.get(release.id))
        with self._lock:
            self._pieces[release.id] = pieces
        return text_of(pieces)

    def keep(self, release: Release, text: str) -> None:
        """Remember what was just written; ended releases are read too seldom to be worth the memory."""
        with self._lock:
            self._known.pop(release.id, None)
            if release.is_over:
                self._pieces.pop(release.id, None)
            else:
                self._known[release.id] = (text, release)

    def only(self, ids: Collection[str], at: float) -> None:
        """These are active. What another replica ended is not heard of again, and goes once it was missed for long."""
        with self._lock:
            absent = (self._known.keys() | self._pieces.keys()).difference(ids)
            self._missed = {id: self._missed.get(id, at) for id in absent}
            for id in [id for id, since in self._missed.items() if at - since > self.LASTING]:
                self._known.pop(id, None)
                self._pieces.pop(id, None)


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
        count = _COUNT[self._connection.dialect.name]
        number = self._connection.execute(count, {"service": name, "last": 1}).scalar_one()
        return f"{name}-{number}"

    def add(self, release: Release) -> None:
        """Store a new release; AlreadyReleasing when one of its routes belongs to an active one."""
        name, _, number = release.id.rpartition("-")
        text = self._decoded.written(release)
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
            self._connection.execute(insert(RELEASES), {**fixed, **_columns(release, text)})
            self._connection.execute(insert(TARGETS), targets)
            self._take_routes(release)
        self._decoded.keep(release, text)

    def save(self, release: Release, row_version: int) -> int:
        """Store the release as it is now and return its new row_version; Conflict when somebody was first."""
        text = self._decoded.written(release)
        new = {"saved": release.id, "expected": row_version, **_columns(release, text)}
        if self._connection.execute(_SAVE, new).rowcount != 1:
            raise Conflict(release.id)
        if release.is_over:
            self._connection.execute(_FREE_ROUTES, {"of_release": release.id})
        self._decoded.keep(release, text)
        return row_version + 1

    def reopen(self, release: Release) -> None:
        """Take the routes of a release that was over again; AlreadyReleasing when another one has them."""
        try:
            with self._connection.begin_nested():
                self._connection.execute(_RETAKE_ROUTES, {"of_release": release.id})
        except IntegrityError as error:
            held = (self.by_route(route.key) for target in release.targets for route in target.routes)
            holder = next((each for each in held if each is not None), "another release")
            raise AlreadyReleasing(release.target.routes[0].key, holder) from error

    def successor(self, release: Release) -> str | None:
        """A later release that has one of the routes, or had it and completed; None when this one was the last."""
        keys = [route.key for target in release.targets for route in target.routes]
        later = select(_c.id).join(ROUTES, ROUTES.c.release_id == _c.id)
        later = later.where(ROUTES.c.route_key.in_(keys), _c.id != release.id, _c.created_at >= release.created_at)
        moved = later.where(_c.phase != Phase.ROLLED_BACK).order_by(_c.created_at.desc(), _c.number.desc())
        return self._connection.execute(moved.limit(1)).scalar_one_or_none()

    def get(self, id: str) -> Stored | None:
        """The release of this id, None when there is none."""
        row = self._connection.execute(_rows().where(_c.id == id)).first()
        return Stored(self._decoded.read(row[0], row[2]), row[1]) if row else None

    def some(self, ids: Sequence[str]) -> dict[str, Stored]:
        """The releases of these ids that there are, by id."""
        return {stored.release.id: stored for stored in self._stored(_rows().where(_c.id.in_(ids)))}

    def active(self) -> list[Stored]:
        """Every release that is not over."""
        found = self._stored(_rows().where(_c.is_active.is_(True)))
        self._decoded.only({stored.release.id for stored in found}, time.monotonic())
        return found

    def active_versions(self) -> list[tuple[str, int]]:
        """Id and row_version of every release that is not over, without its document."""
        columns = select(_c.id, _c.row_version)
        rows = self._connection.execute(columns.where(_c.is_active.is_(True)))
        return [(row.id, row.row_version) for row in rows]

    def by_route(self, key: str) -> str | None:
        """The active release that has this route."""
        held = select(ROUTES.c.release_id).where(ROUTES.c.route_key == key, sql_text("active"))
        return self._connection.execute(held).scalar_one_or_none()

    def find(self, subject: str, limit: int = 20) -> list[Stored]:
        """What a person means by an id, a service, `service.namespace` or a host; active first, then the newest."""
        service, _, namespace = subject.partition(".")
        named = TARGETS.c.service == service
        if namespace:
            named = or_(TARGETS.c.host == subject, and_(named, TARGETS.c.namespace == namespace))
        # A union, where PostgreSQL would read every release for an OR; and sorted without their documents: a service
        # may have had thousands of releases.
        ids = union(select(TARGETS.c.release_id).where(named), select(_c.id).where(_c.id == subject))
        meant = select(_c.id).where(_c.id.in_(ids)).order_by(_c.is_active.desc())
        found = _rows().where(_c.id.in_(_newest(meant, limit).scalar_subquery())).order_by(_c.is_active.desc())
        return self._stored(_newest(found, limit))

    def recent(
        self,
        limit: int,
        *,
        namespace: str | None = None,
        services: Sequence[str] | None = None,
        is_active: bool | None = None,
        phase: Phase | None = None,
        requester: str | None = None,
    ) -> list[Stored]:
        """The newest releases, of one namespace, some services, one phase or person, active or ended only."""
        rows = _rows()
        if namespace is not None:
            rows = rows.where(_c.namespace == namespace)
        if services is not None:
            rows = rows.where(_c.service.in_([short_name(service) for service in services]))
        if is_active is not None:
            rows = rows.where(_c.is_active.is_(is_active))
        if phase is not None:
            rows = rows.where(_c.phase == phase)
        if requester is not None:
            rows = rows.where(_c.requester_id == requester)
        return self._stored(_newest(rows, limit))

    def recent_ids(self, limit: int) -> Sequence[str]:
        """The ids of the newest releases; their documents are not read."""
        return self._connection.execute(_newest(select(_c.id), limit)).scalars().all()

    def _stored(self, rows: Select[Any]) -> list[Stored]:
        stored = []
        for id, version, text in self._connection.execute(rows):
            try:
                stored.append(Stored(self._decoded.read(id, text), version))
            except Unreadable as error:
                # One document that cannot be read must not take all other releases with it.
                log.error("release=%s is left out: %s", id, error)
        return stored

    def _take_routes(self, release: Release) -> None:
        keys = dict.fromkeys(route.key for target in release.targets for route in target.routes)
        for key in sorted(keys):  # one order for everybody, so that two releases of several routes cannot deadlock
            row = {"release_id": release.id, "route_key": key, "active": not release.is_over}
            if not added(self._connection, _TAKE_ROUTE, row):
                raise AlreadyReleasing(key, self.by_route(key) or "another release")


def _rows() -> Select[Any]:
    return select(_c.id, _c.row_version, _c.document)


def _newest(rows: Select[Any], limit: int) -> Select[Any]:
    return rows.order_by(_c.created_at.desc(), _c.number.desc()).limit(limit)


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
