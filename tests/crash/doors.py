"""The bot's ends of mesh, Slack and Prometheus: each call is a boundary, and is done in the parent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from multiprocessing.connection import Connection
from typing import Any

from bot.errors import Transient
from bot.ports import Adoption, Baseline, Objection, Preparation, RouteOrder, Subject, Written
from bot.surveys import SurveyRequest
from strategies.gates.course import Recorded
from strategies.guards import Served
from strategies.plan import MetricGate, Plan
from strategies.reasons import Refused
from strategies.release import Drift, Release, Target
from strategies.verdicts import Reading
from tests.crash.points import Switch, Way, die
from tests.crash.world import Wish


class Line:
    """The one connection to the parent."""

    def __init__(self, parent: Connection, switch: Switch) -> None:
        self._parent = parent
        self._switch = switch

    def ask(self, door: str, method: str, *arguments: object, orders: Any = None, **named: object) -> Any:
        """The parent's answer, whatever happens elsewhere; no boundary."""
        self._parent.send((door, method, arguments, named))
        while True:
            word, answer = self._parent.recv()
            match word:
                case "orders?":
                    self._parent.send(orders())
                case "refused":
                    raise answer
                case _:
                    return answer

    def rest(self, until: datetime) -> None:
        """Let time pass until then, or until somebody else has something to do."""
        self._parent.send(("idle", "", (until,), {}))
        self._parent.recv()

    def pass_by(self, name: str) -> Way | None:
        """A boundary whose way its caller minds."""
        return self._switch.here(name)

    def call(self, door: str, method: str, *arguments: object, **named: Any) -> Any:
        """A remote call: TimeoutError when its answer is the one that is lost."""
        way = self._switch.here(method)
        try:
            answer = self.ask(door, method, *arguments, **named)
        finally:
            if way is Way.AFTER:
                die()
        if way is Way.UNANSWERED:
            raise TimeoutError(f"{method} was not answered in time")
        return answer


@dataclass(frozen=True, slots=True)
class MeshDoor:
    """Implements `bot.ports.Mesh`; what the adapter reads from its watch cache is no boundary."""

    line: Line

    def survey(self, request: SurveyRequest) -> Target | Refused:
        found: Target | Refused = self.line.ask("mesh", "survey", request)
        return found

    def prepare(self, release: Release) -> Preparation | Refused:
        found: Preparation | Refused = self._call("prepare", release)
        return found

    def set_route(self, name: str, orders: Callable[[], Sequence[RouteOrder]]) -> Written | Drift:
        found: Written | Drift = self._call("set_route", name, orders=orders)
        return found

    def tidy(self, orders: Sequence[RouteOrder]) -> None:
        self._call("tidy", tuple(orders))

    def observe(self, name: str, orders: Sequence[RouteOrder]) -> Drift | None:
        found: Drift | None = self.line.ask("mesh", "observe", name, orders)
        return found

    def ready_pods(self, target: Target) -> Mapping[str, int] | None:
        found: Mapping[str, int] | None = self.line.ask("mesh", "ready_pods", target)
        return found

    def served(self, request: SurveyRequest) -> Served:
        found: Served = self.line.ask("mesh", "served", request)
        return found

    def flag(self, target: Target, name: str) -> str:
        return str(self.line.ask("mesh", "flag", target, name))

    def manifest(self, name: str) -> Mapping[str, object] | None:
        found: Mapping[str, object] | None = self.line.ask("mesh", "manifest", name)
        return found

    def capacity(self, release: Release) -> str:
        return str(self._call("capacity", release))

    def set_sizes(self, release: Release) -> None:
        self._call("set_sizes", release)

    def unwritable(self, target: Target, plan: Plan) -> Refused | None:
        found: Refused | None = self.line.ask("mesh", "unwritable", target, plan)
        return found

    def room(self, target: Target, plan: Plan, share: Decimal) -> Refused | None:
        found: Refused | None = self.line.ask("mesh", "room", target, plan, share)
        return found

    def adoption(self, request: SurveyRequest, *, is_undo: bool = False) -> Adoption | Refused:
        found: Adoption | Refused = self.line.ask("mesh", "adoption", request, is_undo=is_undo)
        return found

    def adopt(self, request: SurveyRequest, fingerprint: str, *, is_undo: bool = False) -> str | Refused:
        found: str | Refused = self._call("adopt", request, fingerprint, is_undo=is_undo)
        return found

    def baseline(self, release: Release) -> Baseline:
        found: Baseline = self.line.ask("mesh", "baseline", release)
        return found

    def keepsakes(self, release: Release) -> Mapping[str, str]:
        found: Mapping[str, str] = self._call("keepsakes", release)
        return found

    def way_back(self, release: Release) -> str:
        return str(self.line.ask("mesh", "way_back", release))

    def last_lines(self, release: Release) -> Sequence[str]:
        found: Sequence[str] = self.line.ask("mesh", "last_lines", release)
        return found

    def retire(self, release: Release, is_wanted: Callable[[], bool]) -> str:
        return str(self._call("retire", release, orders=is_wanted))

    def warm(self, release: Release) -> str:
        return str(self._call("warm", release))

    def troubles(self) -> Sequence[str]:
        return ()

    def _call(self, method: str, *arguments: object, **named: Any) -> Any:
        try:
            return self.line.call("mesh", method, *arguments, **named)
        except TimeoutError as error:
            raise Transient(str(error)) from error


@dataclass(frozen=True, slots=True)
class MetricsDoor:
    """Implements `bot.ports.Metrics`."""

    line: Line

    def look(self, subjects: Sequence[Subject], at: datetime) -> Mapping[str, Reading]:
        try:
            found: Mapping[str, Reading] = self.line.call("world", "look", subjects, at)
        except TimeoutError as error:
            return {each.release: Reading(at, each.since, trouble=str(error)) for each in subjects}
        return found

    def past(
        self, target: Target, gates: Sequence[MetricGate], since: datetime, at: datetime, patience: float
    ) -> Recorded:
        try:
            found: Recorded = self.line.call("world", "past", target, gates, since, at, patience)
        except TimeoutError as error:
            return Recorded(since, at, trouble=str(error))
        return found

    def past_of_several(
        self, asked: Sequence[tuple[Target, Sequence[MetricGate]]], since: datetime, at: datetime, patience: float
    ) -> Sequence[Recorded]:
        target, gates = asked[0]
        return [self.past(target, gates, since, at, patience)]

    def per_hour(self, target: Target, at: datetime) -> float | None:
        # Killed while it reads, a preparation begins again: there is no boundary to come back to.
        del target, at
        return None

    def objections(
        self, target: Target, gates: Sequence[MetricGate], look: timedelta, at: datetime
    ) -> Sequence[Objection] | None:
        # As above.
        del target, gates, look, at
        return ()

    def is_idle(
        self, target: Target, version: str, window: timedelta, at: datetime, drain: timedelta = timedelta(0)
    ) -> tuple[bool, str]:
        try:
            found: tuple[bool, str] = self.line.call("world", "is_idle", target, version, window, at, drain)
        except TimeoutError as error:
            return False, str(error)
        return found

    def troubles(self) -> Sequence[str]:
        return ()


class Web:
    """The methods of Slack's client that the bot calls; the real chat adapter sits on top of it."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def chat_postMessage(self, **payload: object) -> "Answer":  # noqa: N802 - Slack's name
        return Answer(self._line.call("slack", "chat_postMessage", **payload))

    def chat_update(self, **payload: object) -> "Answer":
        return Answer(self._line.call("slack", "chat_update", **payload))

    def chat_getPermalink(self, **payload: object) -> "Answer":  # noqa: N802 - Slack's name
        return Answer(self._line.call("slack", "chat_getPermalink", **payload))

    def files_upload_v2(self, **payload: object) -> "Answer":
        return Answer(self._line.call("slack", "files_upload_v2", **payload))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the SDK hands out."""

    data: Mapping[str, object]

    def __getitem__(self, name: str) -> object:
        return self.data[name]


@dataclass(frozen=True, slots=True)
class Audience:
    """The people's end: what they want, and telling them that it was taken."""

    line: Line

    def wish(self) -> Wish | None:
        """What somebody asks of this process now."""
        wanted: Wish | None = self.line.ask("world", "wish")
        return wanted

    def acknowledge(self, wish: Wish) -> None:
        """The three seconds' answer; lost, the person sees nothing and asks again."""
        way = self.line.pass_by("acknowledge")
        if way is Way.UNANSWERED:
            return
        self.line.ask("world", "answer", wish.once)
        if way is Way.AFTER:
            die()
