"""What a judge remembers between looks, and its text form."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from strategies.gates.chance import NOTHING, Counts
from strategies.gates.latency import Buckets, added, total

VERSION = 1
ENOUGH = 20  # requests below which a rate says nothing


@dataclass(frozen=True, slots=True)
class Tally:
    """What both versions did over one or more looks; `unknown` counts errors that name no version."""

    baseline: Counts = NOTHING
    candidate: Counts = NOTHING
    baseline_buckets: Buckets = field(default_factory=dict)
    candidate_buckets: Buckets = field(default_factory=dict)
    unknown: int = 0

    def plus(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(
            self.baseline.plus(other.baseline),
            self.candidate.plus(other.candidate),
            added(self.baseline_buckets, other.baseline_buckets),
            added(self.candidate_buckets, other.candidate_buckets),
            self.unknown + other.unknown,
        )


@dataclass(frozen=True, slots=True)
class Memory:
    """The evidence of one release so far.

    `began` is the time of the stage's first look. `stage_total` is what the stage saw since, `pools` what a gate saw
    since it last judged, `before` what the baseline did in the last stage that still gave it requests. `streaks`
    counts failing looks running, by metric. `routed` and `matched` are requests (all, the candidate's) since the split
    last proved right, `apart` the looks running in which it did not. `odds` is the evidence of gates that add
    it up over all stages, by metric.
    """

    stage: int = -1
    began: datetime | None = None
    stage_total: Tally = field(default_factory=Tally)
    before: Tally = field(default_factory=Tally)
    pools: Mapping[str, Tally] = field(default_factory=dict)
    streaks: Mapping[str, int] = field(default_factory=dict)
    routed: int = 0
    matched: int = 0
    apart: int = 0
    odds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def in_stage(self, stage: int, at: datetime) -> "Memory":
        """The memory for a look at `stage`: counts start anew when the split changed, failing streaks do not."""
        if stage == self.stage:
            return self
        seen = self.stage_total
        rates = seen if seen.baseline.requests >= ENOUGH else self.before
        times = seen if total(seen.baseline_buckets) >= ENOUGH else self.before
        before = Tally(baseline=rates.baseline, baseline_buckets=times.baseline_buckets)
        return Memory(stage=stage, began=at, before=before, streaks=self.streaks, odds=self.odds)

    def with_pool(self, gate: str, pool: Tally) -> "Memory":
        """The gate's pool replaced."""
        return replace(self, pools={**self.pools, gate: pool})

    def with_odds(self, gate: str, kept: Mapping[str, Any]) -> "Memory":
        """The gate's evidence replaced."""
        return replace(self, odds={**self.odds, gate: kept})

    def with_streak(self, gate: str, streak: int) -> "Memory":
        """The gate judged its pool: the streak replaced, the pool emptied."""
        pools = {name: pool for name, pool in self.pools.items() if name != gate}
        return replace(self, pools=pools, streaks={**self.streaks, gate: streak})


def recall(text: str) -> Memory:
    """The memory in its text form; a new one for no text, and for another judge's."""
    document = json.loads(text) if text else {}
    if document.get("v") != VERSION:
        return Memory()
    return Memory(
        stage=document["stage"],
        began=datetime.fromisoformat(document["began"]) if document["began"] else None,
        stage_total=_tally(document["total"]),
        before=_tally(document["before"]),
        pools={gate: _tally(pool) for gate, pool in document["pools"].items()},
        streaks=document["streaks"],
        routed=document["split"][0],
        matched=document["split"][1],
        apart=document["split"][2],
        odds=document.get("odds", {}),
    )


def keep(memory: Memory) -> str:
    """The text form, about 300 characters and 500 more per latency gate."""
    document = {
        "v": VERSION,
        "stage": memory.stage,
        "began": memory.began.isoformat() if memory.began else "",
        "total": _document(memory.stage_total),
        "before": _document(memory.before),
        "pools": {gate: _document(pool) for gate, pool in memory.pools.items()},
        "streaks": dict(memory.streaks),
        "split": [memory.routed, memory.matched, memory.apart],
    }
    if memory.odds:
        document["odds"] = memory.odds
    return json.dumps(document, separators=(",", ":"))


def _document(tally: Tally) -> list[object]:
    head: list[object] = [*tally.baseline, *tally.candidate, tally.unknown]
    arms = (tally.baseline_buckets, tally.candidate_buckets)
    if not any(arms):
        return head
    return [*head, *([[_edge(edge), round(count)] for edge, count in sorted(arm.items())] for arm in arms)]


def _tally(document: list[Any]) -> Tally:
    baseline, candidate, unknown = Counts(*document[0:2]), Counts(*document[2:4]), document[4]
    arms = [{float(edge): float(count) for edge, count in arm} for arm in document[5:]] or [{}, {}]
    return Tally(baseline, candidate, arms[0], arms[1], unknown)


def _edge(edge: float) -> str | float:
    # JSON has no infinity.
    return "inf" if math.isinf(edge) else edge
