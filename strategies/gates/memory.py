"""What a judge remembers between looks, and its text form."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from strategies.gates.chance import NOTHING, Counts
from strategies.gates.latency import Buckets, added, total
from strategies.gates.nameless import Nameless, plain, restored

VERSION = 1
NONE = Nameless()
ENOUGH = 20  # requests below which a rate says nothing
ERRORS = "errors"  # the metric that every look counts

Pair = tuple[Counts, Counts]
"""Baseline and candidate."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What both versions did over one or more looks.

    `unknown` counts errors that name no version; `counted` are the other counted metrics, by name.
    """

    baseline: Counts = NOTHING
    candidate: Counts = NOTHING
    baseline_buckets: Buckets = field(default_factory=dict)
    candidate_buckets: Buckets = field(default_factory=dict)
    unknown: int = 0
    counted: Mapping[str, Pair] = field(default_factory=dict)

    def of(self, metric: str) -> Pair:
        """Baseline and candidate of a counted metric."""
        if metric == ERRORS:
            return self.baseline, self.candidate
        return self.counted.get(metric, (NOTHING, NOTHING))

    def only(self, metric: str) -> "Tally":
        """This metric's counts and nothing else."""
        if metric == ERRORS:
            return Tally(self.baseline, self.candidate)
        return Tally(counted={metric: self.of(metric)})

    def plus(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(
            self.baseline.plus(other.baseline),
            self.candidate.plus(other.candidate),
            added(self.baseline_buckets, other.baseline_buckets),
            added(self.candidate_buckets, other.candidate_buckets),
            self.unknown + other.unknown,
            _both(self.counted, other.counted),
        )


@dataclass(frozen=True, slots=True)
class Memory:
    """The evidence of one release so far.

    `began` is the time of the stage's first look. `stage_total` is what the stage saw since, `pools` what a gate saw
    since it last judged, `before` what the baseline did in the last stage that still gave it requests. `streaks`
    counts failing looks running, by metric. `routed` and `matched` are requests (all, the candidate's) since the split
    last proved right, `apart` the looks running in which it did not. `carried` are events of both versions that came
    before what they are out of, by metric, `nameless` the errors that name no version, `rough` how an owner's
    counts vary from look to look. `odds` is the evidence of gates
    that add it up, by metric; `tested` is the last stage at whose deadline it was tested exactly.
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
    carried: Mapping[str, Sequence[int]] = field(default_factory=dict)
    nameless: Nameless = field(default_factory=Nameless)
    rough: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)
    odds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tested: int = -1

    def in_stage(self, stage: int, at: datetime) -> "Memory":
        """The memory for a look at `stage`: counts start anew when the split changed, failing streaks do not."""
        if stage == self.stage:
            return self
        seen = self.stage_total
        rates = seen if seen.baseline.requests >= ENOUGH else self.before
        times = seen if total(seen.baseline_buckets) >= ENOUGH else self.before
        others = {name: (pair[0], NOTHING) for name, pair in {**self.before.counted, **_telling(seen.counted)}.items()}
        before = Tally(baseline=rates.baseline, baseline_buckets=times.baseline_buckets, counted=others)
        fresh = replace(self, stage=stage, began=at, stage_total=Tally(), before=before, pools={})
        return replace(fresh, routed=0, matched=0, apart=0, nameless=self.nameless.in_next_stage())

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
        carried=document.get("carried", {}),
        nameless=restored(document.get("nameless", ())),
        rough=document.get("rough", {}),
        odds=document.get("odds", {}),
        tested=document.get("tested", -1),
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
    if memory.nameless != NONE:
        document["nameless"] = plain(memory.nameless)
    if memory.rough:
        document["rough"] = memory.rough
    if memory.carried:
        document["carried"] = memory.carried
    if memory.odds:
        document["odds"] = memory.odds
    if memory.tested >= 0:
        document["tested"] = memory.tested
    return json.dumps(document, separators=(",", ":"))


def _document(tally: Tally) -> list[object]:
    head: list[object] = [*tally.baseline, *tally.candidate, tally.unknown]
    arms = (tally.baseline_buckets, tally.candidate_buckets)
    if any(arms) or tally.counted:
        head.extend([[_edge(edge), round(count)] for edge, count in sorted(arm.items())] for arm in arms)
    if tally.counted:
        head.append({name: [*pair[0], *pair[1]] for name, pair in tally.counted.items()})
    return head


def _tally(document: list[Any]) -> Tally:
    baseline, candidate, unknown = Counts(*document[0:2]), Counts(*document[2:4]), document[4]
    arms = [{float(edge): float(count) for edge, count in arm} for arm in document[5:7]] or [{}, {}]
    others = document[7] if len(document) > 7 else {}
    counted = {name: (Counts(*kept[0:2]), Counts(*kept[2:4])) for name, kept in others.items()}
    return Tally(baseline, candidate, arms[0], arms[1], unknown, counted)


def _both(one: Mapping[str, Pair], other: Mapping[str, Pair]) -> Mapping[str, Pair]:
    if not one or not other:
        return one or other
    nothing = (NOTHING, NOTHING)
    pairs = ((name, one.get(name, nothing), other.get(name, nothing)) for name in one.keys() | other.keys())
    return {name: (left[0].plus(right[0]), left[1].plus(right[1])) for name, left, right in pairs}


def _telling(counted: Mapping[str, Pair]) -> Mapping[str, Pair]:
    return {name: pair for name, pair in counted.items() if pair[0].requests >= ENOUGH}


def _edge(edge: float) -> str | float:
    # JSON has no infinity.
    return "inf" if math.isinf(edge) else edge
