"""The bench's judge over arrays decides as the judge itself does, release by release."""

import numpy as np
import pytest

from strategies.gates.sequential import judge
from strategies.gates.trial import Decision
from tests.bench.gates.ours import HELD, PROMOTED, ROLLED_BACK, Bench
from tests.bench.gates.promises import asked, looks_of
from tests.bench.gates.traffic import Law, Scenario, Traffic, flat, simulate

DECISIONS = {Decision.ROLL_BACK: ROLLED_BACK, Decision.PROMOTE: PROMOTED, Decision.HOLD: HELD}
SCENARIOS = [
    Scenario("worse", 20, flat(0.002), flat(0.02), looks=60, windows=60, lost=0.05),
    Scenario("good", 60, flat(0.002), flat(0.002), looks=60, windows=60),
    Scenario("bursts", 60, flat(0.01), flat(0.03), looks=60, law=Law.CLUSTERS, bursts=3, windows=60),
    Scenario("no past", 60, flat(0.004), flat(0.02), looks=60, windows=0, lost=0.05),
    Scenario("bursts and no past", 60, flat(0.01), flat(0.012), looks=60, law=Law.CLUSTERS, bursts=5, windows=0),
    Scenario("outage", 5, flat(0.002), flat(0.4), looks=30, windows=20),
]


def decided(scenario: Scenario, traffic: Traffic, release: int) -> tuple[int, float]:
    trial = asked(scenario, traffic, release)
    findings = judge([(trial, look) for look in looks_of(scenario, traffic, release)])
    finding = next(finding for finding in findings if finding.decision)
    assert finding.decision is not None
    return DECISIONS[finding.decision], finding.t


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_both_judges_decide_alike(scenario: Scenario) -> None:
    traffic = simulate(scenario, 25, np.random.default_rng(9))
    outcomes = Bench(scenario, traffic).run()
    for release in range(25):
        assert decided(scenario, traffic, release) == (outcomes.decision[release], outcomes.at[release])
