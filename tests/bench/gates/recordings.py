"""Simulated releases as lines for `sluice replay`, for the README's pictures and for measuring its speed.

`python -m tests.bench.gates.recordings bad | sluice replay - --picture bad.png`
"""

import json
import sys
from collections.abc import Iterator

import numpy as np

from tests.bench.gates.traffic import Scenario, flat, simulate

SEED = 20_261_121
NAMED = {
    "good": Scenario("a good release", 60, flat(0.003), flat(0.003), windows=180),
    "bad": Scenario("a bad release", 20, flat(0.003), flat(0.02), windows=180),
    "quiet": Scenario("a quiet service", 1, flat(0.003), flat(0.003), windows=180),
}


def lines(scenario: Scenario, releases: int = 1, seed: int = SEED) -> Iterator[str]:
    """The configs of all releases, then their looks in the order of time."""
    traffic = simulate(scenario, releases, np.random.default_rng(seed))
    metric = {"name": "errors", "kind": "counts", "allowed": scenario.allowed, "tolerated": scenario.tolerated}
    names = [scenario.name if releases == 1 else f"{scenario.name}-{number}" for number in range(releases)]
    for number, name in enumerate(names):
        past = np.stack([traffic.past[number], traffic.past_bad[number]], axis=1).tolist()
        config = {"metrics": [metric], "deadline_s": float(scenario.times[-1]), "history": {"errors": past}}
        yield json.dumps({"release": name, "config": config})
    for look, (t, weight) in enumerate(zip(scenario.times.tolist(), scenario.weight.tolist(), strict=True)):
        for number, name in enumerate(names):
            is_lost = bool(traffic.is_lost[number, look])
            pairs = ((traffic.baseline, traffic.baseline_bad), (traffic.candidate, traffic.candidate_bad))
            arms = [None if is_lost else [int(n[number, look]), int(x[number, look])] for n, x in pairs]
            arm = {"baseline": {"errors": arms[0]}, "candidate": {"errors": arms[1]}}
            yield json.dumps({"release": name, "t": t, "weight": weight, **arm})


if __name__ == "__main__":
    for line in lines(NAMED[sys.argv[1]], int(sys.argv[2]) if len(sys.argv) > 2 else 1):
        print(line)
