"""What is known of a service before a release, small enough to be kept with it: traffic, and each metric's past."""

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from functools import lru_cache
from typing import Any

from strategies.gates.chance import Line
from strategies.gates.overdispersion import Bursts

VERSION = 1
FEWEST_REPLAYS = 20  # before a gauge is trusted to roll back
FALSE = 0.01  # of the replays may be rolled back


@dataclass(frozen=True, slots=True)
class MetricPast:
    """How one counted metric of the baseline behaved.

    `requests` and `bad` are all of the time that was read, `recent` those that the baseline's present rate is guessed
    from. `edge` and the two margins are a latency's, fixed before the release. `spread` is the standard deviation of
    the pods' constant differences, as a rate; None where there were no two pods. Of `replays` releases of one pod of
    the baseline against the rest `false_alarms` were rolled back by mistake, after the burst factor was `raised` by so
    much to make them few.
    """

    requests: int = 0
    bad: int = 0
    recent: tuple[float, float] = (0.0, 0.0)
    bursts: Bursts = field(default_factory=Bursts)
    edge: float | None = None
    border: Line | None = None
    tolerated: Line | None = None
    spread: float | None = None
    replays: int = 0
    false_alarms: int = 0
    raised: float = 1.0


@dataclass(frozen=True, slots=True)
class LevelPast:
    """How a gauge of the baseline behaved: its mean, and the variance of one reading as it counts in a long mean.

    Of `replays` stages of the baseline against itself `false_alarms` were rolled back by mistake.
    """

    mean: float = 0.0
    long_run: float | None = None
    replays: int = 0
    false_alarms: int = 0

    @property
    def has_passed(self) -> bool:
        """True when there were replays enough, and at most one in a hundred was rolled back: then it may roll back."""
        enough = self.long_run is not None and self.replays >= FEWEST_REPLAYS
        return enough and self.false_alarms <= FALSE * self.replays


@dataclass(frozen=True, slots=True)
class Past:
    """A service's requests per second and its metrics' past; `trouble` says why something is not known.

    `nameless` are errors that named no version, and the seconds in which they were counted.
    """

    per_second: float = 0.0
    minutes: int = 0
    metrics: Mapping[str, MetricPast] = field(default_factory=dict)
    trouble: str = ""
    nameless: tuple[float, float] = (0.0, 0.0)
    levels: Mapping[str, LevelPast] = field(default_factory=dict)


def keep(past: Past) -> str:
    """The text form, about 150 characters per metric."""
    document = {
        "v": VERSION,
        "per_second": past.per_second,
        "minutes": past.minutes,
        "metrics": {name: _document(metric) for name, metric in past.metrics.items()},
        "trouble": past.trouble,
        "nameless": list(past.nameless),
    }
    if past.levels:
        document["levels"] = {name: list(astuple(level)) for name, level in past.levels.items()}
    return json.dumps(document, separators=(",", ":"))


@lru_cache(maxsize=2048)
def recall(text: str) -> Past:
    """The past in its text form; an empty one for no text, and for another version's. Each look asks for it anew."""
    document = json.loads(text) if text else {}
    if document.get("v") != VERSION:
        return Past()
    metrics = {name: _metric(kept) for name, kept in document["metrics"].items()}
    levels = {name: LevelPast(*kept) for name, kept in document.get("levels", {}).items()}
    nameless = tuple(document.get("nameless", (0.0, 0.0)))
    return Past(document["per_second"], document["minutes"], metrics, document["trouble"], nameless, levels)


def _document(metric: MetricPast) -> list[object]:
    return [
        metric.requests,
        metric.bad,
        list(metric.recent),
        [metric.bursts.factor, metric.bursts.is_known],
        metric.edge,
        [list(line) if line else None for line in (metric.border, metric.tolerated)],
        metric.spread,
        [metric.replays, metric.false_alarms, metric.raised],
    ]


def _metric(kept: list[Any]) -> MetricPast:
    requests, bad, recent, bursts, edge, lines, spread, replayed = kept
    border, tolerated = (Line(*line) if line else None for line in lines)
    return MetricPast(requests, bad, tuple(recent), Bursts(*bursts), edge, border, tolerated, spread, *replayed)
