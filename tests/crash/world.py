"""The world outside the bot: it lives in the parent, so that a kill takes nothing of it away."""

import copy
import json
import mmap
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.ports import Subject
from strategies.gates.course import Recorded
from strategies.plan import MetricGate
from strategies.release import Actor, Target
from strategies.verdicts import Arm, Reading
from tests.crash.slack import Slack
from tests.fakes_mesh import FakeMesh
from tests.mesh_documents import a_rule, a_subset

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
PROPAGATION = timedelta(seconds=2)
REQUESTS = 4_000  # in one look, over both versions
MATCHED = 10  # percent of the requests that a match chooses
NAME = "shop/reviews"
RELEASE = "reviews-1"


class SharedClock:
    """One time for the world and every process that was forked from it; it moves only when somebody moves it."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, 8)
        self.set(START)

    def now(self) -> datetime:
        return START + timedelta(microseconds=struct.unpack("q", self._page[:8])[0])

    def set(self, at: datetime) -> None:
        self._page[:8] = struct.pack("q", (at - START) // timedelta(microseconds=1))


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person does now: a command's text, or a click on a button."""

    person: Actor
    once: str  # answered once, a person does not ask for this again
    command: str = ""
    click: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""


@dataclass(slots=True)
class World:
    """Mesh, Slack, Prometheus and people. `breaks_at` is the share from which the candidate answers errors."""

    clock: SharedClock
    wishes: Callable[["World"], Sequence[Wish]]
    breaks_at: float = 2.0
    asks_anew: bool = True  # False: one request is delivered to whoever listens, under one key
    mesh: FakeMesh = field(init=False)
    slack: Slack = field(default_factory=Slack)
    shares: list[int] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    asked: int = 0
    passed: dict[str, list[str]] = field(default_factory=dict)  # boundaries by the life that came to them

    def __post_init__(self) -> None:
        self.mesh = FakeMesh.shop(now=self.clock.now, propagation=PROPAGATION)
        # Without the candidate's subset, so that preparing adds it and a rollback takes it away again.
        self.mesh.put(a_rule(a_subset("v1")))
        self.mesh.on_change(lambda _: self.shares.append(self.share()))

    def share(self) -> int:
        """The candidate's percent of requests or copies, as the VirtualService has it."""
        document = self.mesh.virtual_service(NAME)
        assert document is not None
        *chosen, rest = document["spec"]["http"]
        everybody = sum(int(each.get("weight", 100)) for each in rest["route"] if _is_candidate(each))
        copies = sum(int(each["percentage"]["value"]) for each in _mirrors(rest) if _is_candidate(each))
        matched = MATCHED if any(_is_candidate(each) for route in chosen for each in route["route"]) else 0
        return min(everybody + copies + matched, 100)

    def objects(self) -> list[Any]:
        """What stands in the mesh, without the server's counters."""
        documents = copy.deepcopy([*self.mesh.virtual_services(), *self.mesh.destination_rules()])
        for document in documents:
            del document["metadata"]["resourceVersion"]
            added = (document["metadata"].get("annotations") or {}).pop("sluice/added-subsets", "")
            document["subsets added by"] = sorted(json.loads(added)) if added else []
        # A completed candidate keeps its pods; one that is taken back right then may have given them back or not.
        baseline = self.mesh.find("Deployment", "shop/reviews-v1")
        return [*documents, baseline and baseline["spec"]]

    def look(self, subjects: Sequence[Subject], at: datetime) -> Mapping[str, Reading]:
        """A look in which the mesh did what it was told."""
        share = self.share() / 100
        ours = REQUESTS * share
        errors = ours / 2 if share >= self.breaks_at else 0.0
        return {
            each.release: Reading(at, each.since, Arm(REQUESTS - ours, 0.0), Arm(ours, errors), unattributed=0.0)
            for each in subjects
        }

    def past(
        self, target: Target, gates: Sequence[MetricGate], since: datetime, at: datetime, patience: float
    ) -> Recorded:
        """A Prometheus that was set up a moment ago."""
        del target, patience
        return Recorded(since, at, missing={gate.metric: "no series" for gate in gates})

    def is_idle(
        self, target: Target, version: str, window: timedelta, at: datetime, drain: timedelta
    ) -> tuple[bool, str]:
        """Nobody calls the version that has no share."""
        others = 100 - self.share() if version == target.baseline else self.share()
        return others == 0, f"{version} has {others} % of the requests."

    def wish(self) -> Wish | None:
        """What somebody wants and was not answered yet; asked anew, it is a new request."""
        wanted = next((wish for wish in self.wishes(self) if wish.once not in self.answered), None)
        self.asked += wanted is not None
        number = self.asked if self.asks_anew else 0
        return replace(wanted, key=f"{wanted.once} {number}") if wanted else None

    def answer(self, once: str) -> None:
        """The bot acknowledged: the person sees it."""
        self.answered.add(once)


def _is_candidate(entry: Mapping[str, Any]) -> bool:
    return bool(entry["destination"]["subset"] == "v2")


def _mirrors(route: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every copy that a route sends, in the shape of `mirrors`."""
    copies = list(route.get("mirrors") or [])
    if "mirror" in route:
        copies.append({"destination": route["mirror"], "percentage": route.get("mirrorPercentage", {"value": 100})})
    return copies
