"""The one door: every event runs through one transaction, and only then is anything done or acknowledged."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import assert_never

from bot.errors import Transient
from bot.ports import Clock
from storage.database import Database, Transaction
from storage.errors import AlreadyReleasing, Conflict, DatabaseDown
from storage.evidence import StoredLook
from storage.journal import Entry
from storage.releases import Stored
from strategies.decision import Decision
from strategies.effects import Lane
from strategies.events import Event, LookTaken, ReleaseRequested, RollbackRequested, SuccessorRequested
from strategies.machine import decide
from strategies.reasons import ReasonCode, Refused
from strategies.release import SLUICE, Actor, Phase, Release
from strategies.verdicts import Reading, Verdict

log = logging.getLogger(__name__)

Outcome = Decision | Refused
AT_ONCE = 25  # looks in one transaction: some 15 ms, which is what a click may have to wait
TRIES = 3  # a row that another replica changed in between is read and decided again


@dataclass(frozen=True, slots=True)
class Looked:
    """One release's part of a tick: what was read, and what the judge said."""

    event: LookTaken
    reading: Reading


class Engine:
    """Journals events, lets the machine decide, saves releases and queues effects: one short transaction each.

    After a commit `on_queued` callbacks hear the lanes with new effects, then `on_commit` ones the releases that were
    saved; they must not block.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._queued: list[Callable[[Collection[Lane]], None]] = []
        self._listeners: list[Callable[[Sequence[Release]], None]] = []

    def on_queued(self, listener: Callable[[Collection[Lane]], None]) -> None:
        """Call `listener` with the lanes that got effects, after each commit that queued some."""
        self._queued.append(listener)

    def on_commit(self, listener: Callable[[Sequence[Release]], None]) -> None:
        """Call `listener` with the saved releases after each commit."""
        self._listeners.append(listener)

    def submit(self, event: Event) -> Outcome:
        """What follows from `event`; stored when this returns. Transient when the database does not answer."""
        try:
            outcome, others, lanes = self._committed(event)
        except DatabaseDown as error:
            raise Transient(f"The database does not answer: {error}") from error
        self._ring(lanes)
        self._announce(outcome, event)
        self._tell(others)
        return outcome

    def submit_looks(self, looks: Iterable[Looked]) -> None:
        """Take the looks of one tick: evidence for all, a journal entry where something changed.

        A tick of a thousand looks would keep a rollback waiting for the write lock, so it is stored in parts.
        """
        rest = iter(looks)
        while part := list(islice(rest, AT_ONCE)):
            try:
                saved, lanes = self._taken(part)
            except DatabaseDown as error:
                raise Transient(f"The database does not answer: {error}") from error
            self._ring(lanes)
            self._tell(saved)

    def release(self, id: str) -> Release | None:
        """The release as it is stored now."""
        with self._database.reading() as tx:
            stored = tx.releases.get(id)
        return stored.release if stored else None

    def active(self) -> tuple[Release, ...]:
        """All active releases."""
        with self._database.reading() as tx:
            return tuple(stored.release for stored in tx.releases.active())

    def _committed(self, event: Event) -> tuple[Outcome, Sequence[Release], Collection[Lane]]:
        """What follows from the event, the other releases that it ended, and the lanes that got effects."""
        for attempt in range(1, TRIES + 1):
            others: list[Release] = []
            try:
                with self._database.transaction() as tx:
                    return self._decided(tx, event, others), others, tx.outbox.filled
            except Conflict:
                if attempt == TRIES:
                    raise Transient(f"{event.release} is being changed by others; try again.") from None
            except AlreadyReleasing as error:
                return Refused(ReasonCode.ALREADY_RELEASING, f"The route is being released already: {error}."), (), ()
        raise AssertionError("unreachable: every attempt returns or raises")

    def _decided(self, tx: Transaction, event: Event, others: list[Release]) -> Outcome:
        now = self._clock.now()
        stored = tx.releases.get(event.release) if event.release else None
        if tx.journal.has(event.key):
            return _repeated(stored)
        if isinstance(event, ReleaseRequested):
            return self._begun(tx, event, now, others)
        if isinstance(event, RollbackRequested) and stored is not None and stored.release.phase is Phase.COMPLETED:
            in_the_way = self._cleared(tx, stored.release, event, now, others)
            if in_the_way:
                return in_the_way
        outcome = decide(stored.release if stored else None, event, now)
        match outcome:
            case Refused():
                if stored is not None:
                    tx.journal.record(_refusal(event, stored.release, outcome, now))
            case Decision():
                if not self._keep(tx, stored, event, outcome, now):
                    # Another replica answered the same payload meanwhile, and by a refusal: no row shows that.
                    raise Conflict(event.release)
            case _:
                assert_never(outcome)
        return outcome

    def _begun(self, tx: Transaction, event: ReleaseRequested, now: datetime, others: list[Release]) -> Outcome:
        """A new release under a new number, and the end of those that make way for it."""
        refused = decide(None, event, now)
        if isinstance(refused, Refused):
            # No number is spent on what is not begun, and nobody makes way for it.
            return refused
        left = _leaving(tx, event, now)
        if isinstance(left, Refused):
            return left
        for holder, asked, ended in left:
            self._keep(tx, holder, asked, ended, now)
            others.append(ended.release)
        event = replace(event, release=tx.releases.next_id(event.targets[0].service))
        outcome = decide(None, event, now)
        if isinstance(outcome, Decision):
            self._keep(tx, None, event, outcome, now)
            outcome = replace(outcome, reply=" ".join((outcome.reply, *(ended.reply for _, _, ended in left))))
        return outcome

    def _cleared(
        self, tx: Transaction, release: Release, event: RollbackRequested, now: datetime, others: list[Release]
    ) -> Refused | None:
        """Why a completed release cannot go back; a later one that moved nothing is called off by the same click."""
        later = tx.releases.successor(release)
        if later is None:
            return None
        holder = tx.releases.get(later)
        if holder is None or holder.release.is_over or holder.release.stage >= 0:
            return _overtaken(release, later)
        why = f"{release.id} is rolled back"
        off = RollbackRequested(later, f"{event.key}:{later}", event.actor, why, makes_way=True)
        outcome = decide(holder.release, off, now)
        if isinstance(outcome, Refused):
            return outcome
        if not outcome.release.is_over:
            return _overtaken(release, later)
        self._keep(tx, holder, off, outcome, now)
        others.append(outcome.release)
        return None

    def _keep(self, tx: Transaction, stored: Stored | None, event: Event, decision: Decision, now: datetime) -> bool:
        """Save, journal and queue; False when the event's key was journalled by somebody else meanwhile."""
        if stored is None:
            tx.releases.add(decision.release)
        elif decision.release != stored.release:
            if stored.release.is_over and not decision.release.is_over:
                tx.releases.reopen(decision.release)
            tx.releases.save(decision.release, stored.row_version)
        before = stored.release if stored else None
        is_new = not decision.is_notable or tx.journal.record(_entry(event, before, decision, now))
        tx.outbox.put(decision.effects, now, decision.release.revision)
        return is_new

    def _taken(self, looks: Sequence[Looked]) -> tuple[list[Release], Collection[Lane]]:
        now = self._clock.now()
        saved: list[Release] = []
        taken: list[Looked] = []
        with self._database.transaction() as tx:
            stored = tx.releases.some([look.event.release for look in looks])
            for look in looks:
                if look.event.release not in stored:
                    continue
                try:
                    self._take(tx, stored[look.event.release], look, now, saved)
                    taken.append(look)
                except Conflict:
                    # Another replica moved it meanwhile: this look is lost, the next tick takes another.
                    log.info("look dropped release=%s, it was changed meanwhile", look.event.release)
            tx.evidence.add_all([(look.event.release, _stored_look(look)) for look in taken])
        return saved, tx.outbox.filled

    def _take(self, tx: Transaction, stored: Stored, look: Looked, now: datetime, saved: list[Release]) -> None:
        decision = decide(stored.release, look.event, now)
        if isinstance(decision, Refused):  # facts are never refused
            raise AssertionError(f"look refused: {decision.text}")
        self._keep(tx, stored, look.event, decision, now)
        if decision.release != stored.release:
            saved.append(decision.release)
        if decision.is_notable:
            self._announce_look(decision)

    def _announce_look(self, decision: Decision) -> None:
        release = decision.release
        log.info("look release=%s revision=%d phase=%s %s", release.id, release.revision, release.phase, decision.why)

    def _announce(self, outcome: Outcome, event: Event) -> None:
        name = type(event).__name__
        match outcome:
            case Refused(code, text):
                log.info("refused release=%s event=%s key=%s code=%s %s", event.release, name, event.key, code, text)
            case Decision(release):
                if outcome.is_notable:
                    log.info(
                        "decided release=%s revision=%d event=%s key=%s phase=%s %s",
                        *(release.id, release.revision, name, event.key, release.phase, outcome.why),
                    )
                self._tell([release])
            case _:
                assert_never(outcome)

    def _ring(self, lanes: Collection[Lane]) -> None:
        for queued in self._queued if lanes else ():
            queued(lanes)

    def _tell(self, releases: Sequence[Release]) -> None:
        for listener in self._listeners:
            listener(releases)


def _stored_look(look: Looked) -> StoredLook:
    return StoredLook(look.event.at, look.event.stage, look.reading, look.event.verdicts)


def _repeated(stored: Stored | None) -> Outcome:
    if stored is None:
        return Refused(ReasonCode.ALREADY_DECIDED, "That was answered already; nothing was done twice.")
    return Decision(stored.release, reply="That was taken already; nothing was done twice.", is_notable=False)


def _leaving(
    tx: Transaction, event: ReleaseRequested, now: datetime
) -> Sequence[tuple[Stored, SuccessorRequested, Decision]] | Refused:
    """The releases of these routes that only wait to let their baseline go, each with its end; refused while one moves.

    Nothing is kept yet: of several, all make way or none does.
    """
    found: list[tuple[Stored, SuccessorRequested, Decision]] = []
    for id in _holders(tx, event):
        holder = tx.releases.get(id)
        asked = SuccessorRequested(id, f"{event.key}:{id}", event.actor)
        outcome = decide(holder.release, asked, now) if holder else None
        if holder is None or not isinstance(outcome, Decision):
            is_leaving = holder is not None and holder.release.phase is Phase.DECOMMISSIONING
            told = already_releasing(tx, event.targets[0].service, id)
            return outcome if is_leaving and isinstance(outcome, Refused) else told
        found.append((holder, asked, outcome))
    return found


def _holders(tx: Transaction, event: ReleaseRequested) -> Sequence[str]:
    """The active releases that have one of the routes, each once."""
    keys = (route.key for target in event.targets for route in target.routes)
    found = (tx.releases.by_route(key) for key in keys)
    return tuple(dict.fromkeys(each for each in found if each is not None))


def _overtaken(release: Release, later: str) -> Refused:
    again = f"/release start {release.target.service} {release.target.baseline}"
    text = f"{later} moved the same route after {release.id}: roll that one back first, or go back by a release: "
    return Refused(ReasonCode.ALREADY_RELEASING, f"{text}{again}")


def already_releasing(tx: Transaction, service: str, holder: str) -> Refused:
    """The refusal that leads to the release which has the route."""
    root = tx.messages.get(holder, "root")
    where = root.permalink if root and root.permalink else f"/release status {holder}"
    return Refused(ReasonCode.ALREADY_RELEASING, f"{service} is being released already by {holder}: {where}")


def _actor(event: Event) -> Actor:
    return getattr(event, "actor", SLUICE)


def _entry(event: Event, before: Release | None, decision: Decision, now: datetime) -> Entry:
    release = decision.release
    return Entry(
        key=event.key,
        release=release.id,
        at=now,
        actor_id=_actor(event).id,
        actor_name=_actor(event).name,
        event=type(event).__name__,
        phase_before=before.phase if before else None,
        phase_after=release.phase,
        revision=release.revision,
        text=decision.why,
        evidence=_evidence(release.verdicts or (before.verdicts if before else ())),
    )


def _refusal(event: Event, release: Release, refused: Refused, now: datetime) -> Entry:
    return Entry(
        key=event.key,
        release=release.id,
        at=now,
        actor_id=_actor(event).id,
        actor_name=_actor(event).name,
        event=type(event).__name__,
        phase_before=release.phase,
        phase_after=release.phase,
        revision=release.revision,
        reason_code=refused.reason_code,
        text=refused.text,
        evidence=_evidence(release.verdicts),
    )


def _evidence(verdicts: Sequence[Verdict]) -> Mapping[str, object]:
    return {verdict.gate: {"outcome": verdict.outcome, "reason": verdict.reason} for verdict in verdicts}
