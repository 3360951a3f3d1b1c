"""How each effect is done, through the ports; what comes of it goes back to the engine as an event."""

import logging
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

from bot import orders, preflight
from bot.engine import Engine
from bot.errors import Fault, Transient
from bot.histories import Histories
from bot.ports import (
    Card,
    Chat,
    Clock,
    Line,
    Look,
    Mesh,
    Metrics,
    Picture,
    Posted,
    Preparation,
    RouteOrder,
    Written,
)
from bot.retirements import Retirements
from bot.unsent import Unsent
from storage.database import Database
from storage.messages import StoredMessage
from strategies.effects import (
    CallOnCall,
    PostStage,
    Prepare,
    ReadHistory,
    RefreshCard,
    Say,
    SetCapacity,
    SetRoute,
)
from strategies.events import (
    BaselineAwaited,
    CapacityLacked,
    DriftFound,
    PreparationBlocked,
    Prepared,
    RouteConfirmed,
)
from strategies.guards import OVERRIDABLE
from strategies.reasons import ReasonCode, Refused
from strategies.release import Drift, Phase, Release

log = logging.getLogger(__name__)

CURABLE = frozenset({ReasonCode.NOT_READY, ReasonCode.CAPACITY, ReasonCode.UNREACHABLE, *OVERRIDABLE})
LOOKS_SHOWN = 240
LOOKS_PICTURED = 720

Guard = Callable[[Release], Refused | None]  # why a release may not begin, asked of whoever knows
Draw = Callable[[Card], Picture]
Links = Callable[[Release], Mapping[str, str]]


class Duties:
    """One method per effect. Each may be repeated: it asks what is wanted now, not what was wanted when queued."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        mesh: Mesh,
        metrics: Metrics,
        guard: Guard,
        histories: Histories | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._mesh = mesh
        self._guard = guard
        self.histories = histories or Histories(engine, metrics, clock)
        self.retirements = Retirements(engine, clock, mesh, metrics)

    def prepare(self, effect: Prepare) -> None:
        """Check the cluster and say what was found."""
        release = self._engine.release(effect.release)
        if release is None or release.phase is not Phase.PREPARING:
            return
        found = self._guard(release) or self._mesh.prepare(release)
        match found:
            case Preparation():
                key = f"prepared:{release.id}:{release.revision}"
                self._engine.submit(Prepared(release.id, key, found.originals, found.ready, found.sizes))
            case Refused(code, text):
                key = f"blocked:{release.id}:{self._clock.now().isoformat()}"
                self._engine.submit(PreparationBlocked(release.id, key, code, text, code not in CURABLE))
            case _:
                assert_never(found)

    def read_history(self, effect: ReadHistory) -> None:
        """Say how the baseline behaved in the day before; a Prometheus that does not answer is asked again."""
        self.histories.read(effect.release)

    def history_unread(self, effect: ReadHistory, text: str) -> None:
        """Nothing is known of the time before: the release goes on with more caution, and says so."""
        self.histories.tell(effect.release, preflight.unread(text))

    def set_route(self, effect: SetRoute) -> None:
        """Make one VirtualService carry what its release wants."""
        asked: list[RouteOrder] = []
        release = self._engine.release(effect.release)
        if release is not None and not self._may_grow(release):
            return
        if release is not None:
            self._warm(release)

        def wanted() -> Sequence[RouteOrder]:
            release = self._engine.release(effect.release)
            # Asked again after a write that came too late: the release was rolled back meanwhile, without this split.
            is_late = bool(asked) and release is not None and release.phase is Phase.ROLLED_BACK
            find = orders.back if is_late else orders.orders
            asked[:] = find(release, effect.object) if release else ()
            return tuple(asked)

        found = self._mesh.set_route(effect.object, wanted)
        if not asked:
            self._tidy(effect)
            return
        revision = asked[0].revision
        match found:
            case Written():
                key = f"confirmed:{effect.release}:{effect.object}:{revision}"
                self._engine.submit(RouteConfirmed(effect.release, key, effect.object, revision, found.is_gone))
                self._compare(effect)
                self._tidy(effect)
            case Drift():
                self.report_drift(effect.release, revision, found)
            case _:
                assert_never(found)

    def _may_grow(self, release: Release) -> bool:
        """Whether the candidate has the pods for the split that is wanted; an increase without them is put off."""
        if release.phase is not Phase.SHIFTING or release.confirmed:
            return True
        lacking = self._mesh.capacity(release)
        if lacking:
            key = f"lacked:{release.id}:{release.revision}:{self._clock.now().isoformat()}"
            self._engine.submit(CapacityLacked(release.id, key, release.split_revision, lacking))
        return not lacking

    def set_capacity(self, effect: SetCapacity) -> None:
        """Sizes as the release wants them now."""
        release = self._engine.release(effect.release)
        if release is not None:
            self._mesh.set_sizes(release)

    def _tidy(self, effect: SetRoute) -> None:
        """What was added beside the routes goes too, after them; asked again in time by the job that wrote them."""
        release = self._engine.release(effect.release)
        left = orders.left_behind(release, effect.object) if release else ()
        if left:
            self._mesh.tidy(left)

    def _warm(self, release: Release) -> None:
        """A baseline without pods is scaled up before traffic comes back to it; tried again until it is ready."""
        if release.phase is Phase.ROLLED_BACK or not release.is_going_back:
            return
        waiting = self._mesh.warm(release)
        if waiting:
            key = f"awaited:{release.id}:{release.revision}:{zlib.crc32(waiting.encode()):08x}"
            self._engine.submit(BaselineAwaited(release.id, key, waiting))
            raise Transient(waiting)

    def _compare(self, effect: SetRoute) -> None:
        # Whoever edits right behind our write is heard before it is confirmed, and nobody listens for drift by then.
        # Of several objects the first is written long before the last: all are compared once all are confirmed.
        release = self._engine.release(effect.release)
        for name in release.objects if release else ():
            wanted = orders.settled(release, name) if release else ()
            drift = self._mesh.observe(name, wanted) if wanted else None
            if drift is not None:
                self.report_drift(effect.release, wanted[0].revision, drift)
                return

    def report_drift(self, release: str, revision: int, drift: Drift) -> None:
        """Tell the release that somebody else changed its fields."""
        self._engine.submit(DriftFound(release, f"drift:{release}:{revision}:{hash_of(drift)}", drift, revision))


class Messages:
    """The chat's duties: what a release shows is rendered from its state when it is sent."""

    def __init__(self, database: Database, clock: Clock, chat: Chat, cluster: str, draw: Draw, links: Links) -> None:
        self._database = database
        self._clock = clock
        self._chat = chat
        self._cluster = cluster
        self._draw = draw
        self._links = links
        # Two threads render root messages; the one that read first must not write last.
        self._rooting = threading.Lock()
        self.unsent = Unsent(self.card, chat)

    def card(self, id: str, most: int = LOOKS_SHOWN) -> Card | None:
        """All that a message of this release may show, None when there is no such release."""
        with self._database.reading() as tx:
            stored = tx.releases.get(id)
            if stored is None:
                return None
            looks = tx.evidence.looks(id, most)
            root = tx.messages.get(id, "root")
        return Card(
            release=stored.release,
            now=self._clock.now(),
            cluster=self._cluster,
            looks=tuple(Look(look.at, look.stage, look.reading, look.verdicts) for look in looks),
            links=self._links(stored.release),
            mention_approvers=tuple(sorted(stored.release.rules.approvers)),
            root=_posted(root),
        )

    def refresh(self, effect: RefreshCard) -> None:
        """Bring the root message up to date."""
        self._root(effect.release)

    def post_stage(self, effect: PostStage) -> None:
        """Bring a stage's message up to date; its picture is drawn when its verdict is asked about or decided."""
        card = self._rooted(effect.release)
        if card is None:
            return
        kind, picture_kind = f"stage:{effect.stage}", _picture_kind(card.release, effect.stage)
        with self._database.reading() as tx:
            known = tx.messages.get(card.release.id, kind)
            pictured = tx.messages.get(card.release.id, picture_kind)
        posted = self._chat.show_stage(card, effect.stage, None, _posted(known))
        # Remembered before the next call is made: a message that Slack took is not posted twice for its picture.
        self._remember(card.release, kind, posted)
        if pictured is None and not card.release.only_asks(effect.stage):
            # A long release has looks that its tables do without, and its picture's band does not.
            whole = self.card(effect.release, LOOKS_PICTURED) if len(card.looks) == LOOKS_SHOWN else card
            posted = self._chat.show_stage(card, effect.stage, self._draw(whole or card), posted)
            self._remember(card.release, picture_kind, posted)

    def say(self, effect: Say) -> None:
        """One line in the thread."""
        card = self._rooted(effect.release)
        if card is not None:
            self._chat.say(card, Line(effect.text, effect.audience, effect.is_broadcast))

    def call(self, effect: CallOnCall) -> None:
        """A new message for whoever is on call."""
        try:
            card = self._rooted(effect.release)
        except Fault as fault:
            # A card that cannot be shown is no reason to let whoever is on call sleep.
            log.error("release=%s: no card to call from: %s", effect.release, fault)
            card = self.card(effect.release)
        if card is not None:
            self._chat.call(card, effect.text)

    def _rooted(self, id: str) -> Card | None:
        card = self.card(id)
        if card is None or card.root is not None:
            return card
        self._root(id)
        return self.card(id)

    def _root(self, id: str) -> None:
        with self._rooting:
            card = self.card(id)
            if card is None:
                return
            posted = self._chat.show_root(card, card.root)
            if posted == card.root:
                return
            self._remember(card.release, "root", posted)
            linked = self._chat.show_root(card, posted) if not posted.permalink else posted
            if linked != posted:
                self._remember(card.release, "root", linked)

    def _remember(self, release: Release, kind: str, posted: Posted) -> None:
        message = StoredMessage(posted.channel, posted.ts, posted.permalink, release.revision)
        with self._database.transaction() as tx:
            tx.messages.put(release.id, kind, message)


def hash_of(drift: Drift) -> str:
    """A short stable name for what was found, so that the same drift is one event."""
    return f"{zlib.crc32(f'{drift.object} {drift.difference}'.encode()):08x}"


def _picture_kind(release: Release, stage: int) -> str:
    state = "harm" if release.is_going_back or release.failing() else "judged"
    return f"picture:{stage}:{state}"


def _posted(message: StoredMessage | None) -> Posted | None:
    return Posted(message.channel, message.ts, message.permalink) if message else None
