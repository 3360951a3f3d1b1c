"""The four doors to the outside: mesh, metrics, chat, clock. Adapters and fakes implement them, nobody else.

Every method has a timeout of its own, raises only `Transient` or `Fault`, and can be repeated without harm.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from bot.surveys import SurveyRequest
from strategies.effects import Audience
from strategies.gates.course import Recorded
from strategies.guards import Served
from strategies.plan import MetricGate, Plan
from strategies.reasons import Refused
from strategies.release import Drift, Release, Target
from strategies.routing import Route, Split
from strategies.verdicts import Reading, Verdict

# --- mesh ---


@dataclass(frozen=True, slots=True)
class RouteOrder:
    """What one route should carry: a split, or (None) its original fields.

    `original` is the canonical JSON that `Preparation.originals` gave for this route, empty when nothing was captured.
    `expected` is what we last wrote and read back (None: the original), for telling drift from our own past; `earlier`
    are splits of ours that may stand there still, because another object's edit was adopted before all were written.
    `force` overwrites drift: a rollback, or a person's choice to restore.
    """

    release: str
    revision: int
    route: Route
    target: Target
    split: Split | None
    original: str = ""
    expected: Split | None = None
    force: bool = False
    earlier: tuple[Split, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """The object carries the order: `changed` is False when it already did, `is_gone` when a rollback found none."""

    resource_version: str
    changed: bool
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Preparation:
    """The cluster is ready for the first split: original fields by route key, ready pods by version."""

    originals: Mapping[str, str]
    ready: Mapping[str, int]
    sizes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The baselines of a release: who still needs them, and how large they are.

    `sizes` are pods by Deployment, `warm_up` the usual time of their pods to become ready; `is_gone` when there is
    neither a pod nor a Deployment that wants one.
    """

    in_the_way: tuple[str, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    warm_up: timedelta | None = None
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Adoption:
    """What pins a service to its present version, or takes that back: the objects, and a diff of each.

    `fingerprint` names exactly these changes: what a person confirmed is what is done.
    """

    service: str
    version: str
    objects: tuple[str, ...]
    diff: str
    fingerprint: str
    is_undo: bool = False


class Mesh(Protocol):
    """Istio and the workloads behind it. Reads are served from the watch cache."""

    def survey(self, request: SurveyRequest) -> Target | Refused:
        """Resolve a service to routes and versions, from the cache alone; unknown names suggest the nearest."""
        ...

    def unwritable(self, target: Target, plan: Plan) -> Refused | None:
        """Why a stage of the plan cannot be written to a route as the cache has it; None when all can."""
        ...

    def prepare(self, release: Release) -> Preparation | Refused:
        """Capture originals, add the candidate's subset when missing, count ready pods.

        Refused with NOT_READY while the candidate has no ready pod; that refusal alone is cured by waiting.
        """
        ...

    def set_route(self, name: str, orders: Callable[[], Sequence[RouteOrder]]) -> Written | Drift:
        """Write one VirtualService (`namespace/name`): take it from the cache, then ask `orders` what it should carry.

        Drift is returned, and nothing written, when our fields are neither `expected` nor already as ordered.
        An empty answer of `orders` writes nothing.
        """
        ...

    def tidy(self, orders: Sequence[RouteOrder]) -> None:
        """Take the subset that a release added out again, where nobody names it any more.

        Raises Transient until proxies have had the time to forget the route to it: on removal the rule comes last.
        """
        ...

    def observe(self, name: str, orders: Sequence[RouteOrder]) -> Drift | None:
        """Compare the cached object with what we last wrote (`expected`); None when it is as we left it."""
        ...

    def ready_pods(self, target: Target) -> Mapping[str, int] | None:
        """Ready pods by version from the cache; None while the cache is not filled."""
        ...

    def served(self, request: SurveyRequest) -> Served:
        """Which version of a service everybody gets now, from the cache alone; `candidate` is not looked at."""
        ...

    def flag(self, target: Target, name: str) -> str:
        """The annotation `sluice/<name>` of the candidate's Deployment, empty when it has none or says false."""
        ...

    def manifest(self, name: str) -> Mapping[str, object] | None:
        """The VirtualService `namespace/name` as the cache has it."""
        ...

    def capacity(self, release: Release) -> str:
        """Empty when the candidates have the ready pods that their wanted shares take, else what is missing and why.

        Scales them up where the release's rules allow it.
        """
        ...

    def set_sizes(self, release: Release) -> None:
        """Hold the baselines' first sizes while the release is active, then give them back; where rules allow it."""
        ...

    def room(self, target: Target, plan: Plan, share: Decimal) -> Refused | None:
        """Refused with CAPACITY when a quota leaves no room for the pods of the plan's largest stage; from the cache.

        `share` is the percent of the baseline's pods that all of the requests take.
        """
        ...

    def adoption(self, request: SurveyRequest, *, is_undo: bool = False) -> Adoption | Refused:
        """What pins the service of the request to its version (`candidate`; empty: the only one), from the cache alone.

        With `is_undo`, what takes that back; refused with DRIFT when somebody edited it since.
        """
        ...

    def adopt(self, request: SurveyRequest, fingerprint: str, *, is_undo: bool = False) -> str | Refused:
        """Make those changes, and say what was done; refused with STALE_REVISION when they are not those shown."""
        ...

    def baseline(self, release: Release) -> Baseline:
        """What stands in the way of retiring the baselines, from the cache alone."""
        ...

    def keepsakes(self, release: Release) -> Mapping[str, str]:
        """Canonical JSON by `Kind namespace/name` of all that the end of the baselines deletes: what brings it back."""
        ...

    def way_back(self, release: Release) -> str:
        """Why a completed release has nothing to go back to, as a sentence; empty when it has; from the cache alone."""
        ...

    def last_lines(self, release: Release) -> Sequence[str]:
        """The last access-log line of some of the baselines' sidecars; empty where they cannot be read."""
        ...

    def retire(self, release: Release, is_wanted: Callable[[], bool]) -> str:
        """Scale the baseline's Deployment to zero, or delete it with its subset; says what was done.

        `is_wanted` is asked before each write; what Sluice did not create is never deleted.
        """
        ...

    def warm(self, release: Release) -> str:
        """Scale the baselines of a release that goes back up to their size at the start; empty once they are ready.

        Otherwise one sentence on what is waited for. Costs nothing while a baseline has a ready pod.
        """
        ...

    def troubles(self) -> Sequence[str]:
        """Why the cluster cannot be relied on now, one sentence each; empty when all is well."""
        ...


# --- metrics ---


@dataclass(frozen=True, slots=True)
class Subject:
    """What to read for one release: the service and its two versions, since the last look.

    `is_mirrored` where the candidate gets copies alone: then both versions are read as their receivers counted.
    `is_copied` where it gets copies beside its share: then both are read as their callers counted, who know of none.
    `gates` say what is read besides errors and latency, `look` how often.
    """

    release: str
    target: Target
    since: datetime
    is_mirrored: bool = False
    is_copied: bool = False
    gates: tuple[MetricGate, ...] = ()
    look: timedelta = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Objection:
    """What Prometheus has against an owner's query, as a sentence that names the profile's field.

    `is_final` when the gate could never be answered; else it may only be too early.
    """

    text: str
    is_final: bool


class Metrics(Protocol):
    """Prometheus."""

    def look(self, subjects: Sequence[Subject], at: datetime) -> Mapping[str, Reading]:
        """One reading per release id, in one batched query per metric. Trouble is inside the reading, never raised."""
        ...

    def per_hour(self, target: Target, at: datetime) -> float | None:
        """Requests of the service in an hour, by what was counted lately; None while that is not known."""
        ...

    def objections(
        self, target: Target, gates: Sequence[MetricGate], look: timedelta, at: datetime
    ) -> Sequence[Objection] | None:
        """What stands against the gates' own queries, each asked for the baseline; None when nobody answers."""
        ...

    def is_idle(
        self, target: Target, version: str, window: timedelta, at: datetime, drain: timedelta = timedelta(0)
    ) -> tuple[bool, str]:
        """True with the proof when nothing called `version` in the window while its targets were scraped.

        `drain` is how long no request may have been under way to it either. Otherwise the text says who calls it.
        """
        ...

    def past(
        self, target: Target, gates: Sequence[MetricGate], since: datetime, at: datetime, patience: float
    ) -> Recorded:
        """What the baseline did minute by minute on the gates' metrics, read within `patience` seconds.

        In a bounded number of queries, beside the looks. Trouble is inside, never raised.
        """
        ...

    def past_of_several(
        self, asked: Sequence[tuple[Target, Sequence[MetricGate]]], since: datetime, at: datetime, patience: float
    ) -> Sequence[Recorded]:
        """The same of the first target and of as many behind it as the same queries can answer."""
        ...

    def troubles(self) -> Sequence[str]:
        """Why Prometheus cannot be relied on now; empty when all is well."""
        ...


# --- chat ---


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a message stands."""

    channel: str
    ts: str
    permalink: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """One stored look, for tables and pictures."""

    at: datetime
    stage: int
    reading: Reading
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """All that a message of a release may show; rendered by the chat adapter alone."""

    release: Release
    now: datetime
    cluster: str
    looks: tuple[Look, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    mention_approvers: tuple[str, ...] = ()
    root: Posted | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG, and the same in words."""

    png: bytes
    alt_text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence for the thread, in plain words; the adapter escapes it and adds the mentions."""

    text: str
    audience: Audience = Audience.NOBODY
    is_broadcast: bool = False


class Chat(Protocol):
    """Slack, as the worker sees it. `posted` is the message to update, None to post anew."""

    def show_root(self, card: Card, posted: Posted | None) -> Posted:
        """Post or update the root message of a release; a new one has its permalink from the second call on."""
        ...

    def show_stage(self, card: Card, stage: int, picture: Picture | None, posted: Posted | None) -> Posted:
        """Post or update the message of one stage in the thread of `card.root`; a refused picture becomes a table."""
        ...

    def say(self, card: Card, line: Line) -> Posted:
        """Post one line into the thread of `card.root`."""
        ...

    def call(self, card: Card, text: str) -> Posted:
        """Post a new channel message that mentions on-call."""
        ...

    def tell(self, card: Card, text: str, audience: Audience) -> None:
        """Speak to each of these people directly, for when the release's channel cannot be reached."""
        ...

    def troubles(self) -> Sequence[str]:
        """Why Slack cannot be relied on now; empty when all is well."""
        ...


# --- clock ---


class Clock(Protocol):
    """Time, so that the core never asks for it itself."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...
