"""Is "about 1,900 more requests" true? What the judge says is needed, beside what it took.

The judge itself is asked, release by release; seconds and requests count from the look at which the promise was made.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from strategies.gates.question import Kind, Metric, Question
from strategies.gates.sequential import judge
from strategies.gates.trial import Look, Trial, opened
from tests.bench.gates.traffic import Scenario, Traffic, flat, simulate

SAID_AT = 6  # looks: a minute
FACTOR = 2.0

PROMISES = (
    Scenario("0.1 % at 10/s, 50 %", 10, flat(0.001), flat(0.001), looks=240, weights=(50,)),
    Scenario("0.1 % at 10/s, 5 %", 10, flat(0.001), flat(0.001), looks=720, weights=(5,)),
    Scenario("0.5 % at 40/s, 25 %", 40, flat(0.005), flat(0.005), looks=360, weights=(25,)),
    Scenario("2 % at 100/s, 10 %", 100, flat(0.02), flat(0.02), looks=720, weights=(10,)),
    Scenario("0.2 % at 1/s, 50 %, no past", 1, flat(0.002), flat(0.002), looks=1440, weights=(50,), windows=0),
    Scenario("0.3 % at 20/s, 5 to 50 %", 20, flat(0.003), flat(0.003), looks=240),
)


@dataclass(frozen=True, slots=True)
class Promise:
    """Medians over releases; `kept` is the share of releases within the factor."""

    name: str
    said: float
    took: float
    kept: float

    @property
    def is_met(self) -> bool:
        """True when the median promise is within the factor of the median truth."""
        return self.took / FACTOR <= self.said <= self.took * FACTOR


def promise(scenario: Scenario, releases: int, seed: int) -> Promise:
    """What was said after a minute, and what it took."""
    traffic = simulate(scenario, releases, np.random.default_rng(seed))
    said, took = [], []
    for release in range(releases):
        trial, looks = asked(scenario, traffic, release), list(looks_of(scenario, traffic, release))
        findings = judge([(trial, look) for look in looks])
        needed = findings[SAID_AT].needed_requests
        safe_at = next((at for at, found in enumerate(findings[SAID_AT:]) if found.safe_odds >= 20), None)
        if needed is None or safe_at == 0:
            continue
        said.append(needed)
        took.append(math.inf if safe_at is None else _requests(looks[SAID_AT + 1 : SAID_AT + 1 + safe_at]))
    within = np.mean([s <= FACTOR * t and t <= FACTOR * s for s, t in zip(said, took, strict=True)])
    return Promise(scenario.name, float(np.median(said)), float(np.median(took)), float(within))


def asked(scenario: Scenario, traffic: Traffic, release: int) -> Trial:
    """The judge before the release."""
    past = zip(traffic.past[release].tolist(), traffic.past_bad[release].tolist(), strict=True)
    metric = Metric("errors", Kind.COUNTS, scenario.allowed, scenario.tolerated)
    return opened(Question((metric,), deadline_s=float(scenario.times[-1])), {"errors": [[window] for window in past]})


def looks_of(scenario: Scenario, traffic: Traffic, release: int) -> Iterator[Look]:
    """The release's looks; a lost scrape has no counts."""
    for k, (t, weight) in enumerate(zip(scenario.times.tolist(), scenario.weight.tolist(), strict=True)):
        arms = ((traffic.baseline, traffic.baseline_bad), (traffic.candidate, traffic.candidate_bad))
        samples = [[(int(n[release, k]), int(x[release, k]))] for n, x in arms]
        is_lost = bool(traffic.is_lost[release, k])
        theirs, ours = ({"errors": None if is_lost else sample} for sample in samples)
        yield Look(t, weight, theirs, ours)


def _requests(looks: list[Look]) -> float:
    pods = (look.candidate["errors"] for look in looks)
    return float(sum(pod[0] for sample in pods if isinstance(sample, list) for pod in sample))
