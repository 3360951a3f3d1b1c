"""Traffic of many releases at once: what both versions answered, look by look, and an hour of the baseline before."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Rate = Callable[[Floats], Floats]
"""The share of bad requests at seconds after the start."""

WINDOW = 60


class Law(Enum):
    """How bad requests come."""

    ALONE = auto()
    CLUSTERS = auto()  # several at once, sizes geometric
    HEAVY = auto()  # the same, sizes with a heavy tail
    SPELLS = auto()  # each version's rate wanders from minute to minute


@dataclass(frozen=True, slots=True)
class Episode:
    """One rate, and another between two times."""

    usual: float
    during: float
    begins: float
    ends: float

    def __call__(self, t: Floats) -> Floats:
        return np.where((t > self.begins) & (t <= self.ends), self.during, self.usual)


@dataclass(frozen=True, slots=True)
class Ramp:
    """A straight line from `start` to `end` over so many seconds."""

    start: float
    end: float
    over: float

    def __call__(self, t: Floats) -> Floats:
        return self.start + (self.end - self.start) * np.clip(t / self.over, 0, 1)


def flat(rate: float) -> Rate:
    """The same rate at all times."""
    return Ramp(rate, rate, 1.0)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Requests per second, rates of both versions, weights in equal parts, and how bad requests come.

    `bursts` is the burst factor as Pearson's chi-square per degree of freedom would find it. `onset` is when the
    candidate breaks. `windows` is the length of the baseline's past in minutes. `bias` is the standard deviation of the
    constant difference between the candidate's pods and the rest, as a rate, drawn once per release. `resets` is the
    chance of a look in which a version's counters began anew, so that only a part of what it did was counted.
    """

    name: str
    per_second: float
    baseline: Rate
    candidate: Rate
    looks: int = 90
    look_s: int = 10
    weights: tuple[float, ...] = (5, 10, 25, 50)
    law: Law = Law.ALONE
    bursts: float = 1.0
    windows: int = 1440
    onset: float = 0.0
    lost: float = 0.0
    bias: float = 0.0
    resets: float = 0.0
    allowed: float = 0.001
    tolerated: float = 0.005
    is_bad: bool = False

    @property
    def times(self) -> Floats:
        """The end of each look in seconds."""
        return np.arange(1, self.looks + 1, dtype=np.float64) * self.look_s

    @property
    def is_outage(self) -> bool:
        """True when half of the candidate's requests fail at 10 a second or more."""
        return self.per_second >= 10 and float(self.candidate(np.array([self.onset + 1.0]))[0]) >= 0.5

    @property
    def weight(self) -> Floats:
        """The candidate's percent in each look."""
        place = np.arange(self.looks) * len(self.weights) // self.looks
        return np.asarray(self.weights, dtype=np.float64)[place]

    @property
    def is_skipped(self) -> NDArray[np.bool_]:
        """True for the first look after a change of the weight."""
        return np.concatenate(([False], np.diff(self.weight) != 0))


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests and bad ones of both versions, shape (releases, looks), and the past, shape (releases, windows)."""

    baseline: Ints
    baseline_bad: Ints
    candidate: Ints
    candidate_bad: Ints
    past: Ints
    past_bad: Ints
    is_lost: NDArray[np.bool_]


def simulate(scenario: Scenario, releases: int, rng: np.random.Generator) -> Traffic:
    """So many releases of one scenario."""
    size = (releases, scenario.looks)
    expected = scenario.per_second * scenario.look_s
    ours = rng.poisson(np.broadcast_to(expected * scenario.weight / 100, size))
    theirs = rng.poisson(np.broadcast_to(expected * (1 - scenario.weight / 100), size))
    past = rng.poisson(scenario.per_second * WINDOW, (releases, scenario.windows))
    bad = _Bad(scenario, rng)
    apart = rng.normal(0, scenario.bias, (releases, 1)) if scenario.bias else 0.0
    rates = (scenario.baseline(scenario.times), np.clip(scenario.candidate(scenario.times) + apart, 0, 1))
    theirs, theirs_bad = _counted(theirs, bad(theirs, rates[0], scenario.look_s), scenario.resets, rng)
    ours, ours_bad = _counted(ours, bad(ours, rates[1], scenario.look_s), scenario.resets, rng)
    return Traffic(
        theirs,
        theirs_bad,
        ours,
        ours_bad,
        past,
        bad(past, np.full(scenario.windows, float(scenario.baseline(np.zeros(1))[0])), WINDOW),
        rng.random(size) < scenario.lost,
    )


def _counted(requests: Ints, bad: Ints, resets: float, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """What is left of the counts where counters began anew within the look: a lower bound of both."""
    if not resets:
        return requests, bad
    part = np.where(rng.random(requests.shape) < resets, rng.random(requests.shape), 1.0)
    bad_left = rng.binomial(bad, part)
    return bad_left + rng.binomial(requests - bad, part), bad_left


class _Bad:
    """Draws bad requests by the scenario's law."""

    def __init__(self, scenario: Scenario, rng: np.random.Generator) -> None:
        self.scenario, self.rng = scenario, rng

    def __call__(self, requests: Ints, rate: Floats, seconds: int) -> Ints:
        match self.scenario.law:
            case Law.ALONE:
                return self.rng.binomial(requests, np.broadcast_to(rate, requests.shape))
            case Law.CLUSTERS | Law.HEAVY:
                return np.minimum(self._clusters(requests * rate), requests)
            case Law.SPELLS:
                return self._spells(requests, rate, seconds)

    def _clusters(self, expected: Floats) -> Ints:
        if self.scenario.law is Law.CLUSTERS:
            mean = (self.scenario.bursts + 1) / 2  # of a geometric law: E[s^2]/E[s] = 2 mean - 1
            clusters = self.rng.poisson(expected / mean)
            more = self.rng.negative_binomial(np.maximum(clusters, 1), 1 / mean)
            return clusters + np.where(clusters > 0, more, 0)
        # One in five errors comes in a cluster of sizes up to 40 times the usual; the rest come alone.
        size = max(round((self.scenario.bursts - 1) / 0.2), 1)
        alone = self.rng.poisson(expected * 0.8)
        return alone + size * self.rng.poisson(expected * 0.2 / size)

    def _spells(self, requests: Ints, rate: Floats, seconds: int) -> Ints:
        # The factor is what the baseline's windows of a minute show at this traffic.
        per_window = self.scenario.per_second * WINDOW
        mean = float(np.mean(rate)) if rate.size else 0.0
        shape = max(per_window * mean, 1e-9) / max(self.scenario.bursts - 1, 1e-9)
        releases, looks = requests.shape
        minutes = -(-looks * seconds // WINDOW)
        wander = np.repeat(
            self.rng.gamma(shape, 1 / shape, (releases, minutes)), WINDOW // min(seconds, WINDOW), axis=1
        )
        return self.rng.binomial(requests, np.minimum(rate * wander[:, :looks], 1.0))
