"""The scenarios: half of them the judge's constants were chosen on, the other half it had never seen."""

from dataclasses import dataclass
from enum import StrEnum

from tests.bench.gates.traffic import Episode, Law, Ramp, Scenario, flat


class Half(StrEnum):
    """Whether the judge's constants were chosen with this scenario in sight."""

    TUNED = "tuned"
    UNSEEN = "unseen"


class Truth(StrEnum):
    """What a perfect judge would do."""

    GOOD = "good"  # never roll back
    BAD = "bad"  # roll back soon
    EDGE = "edge"  # exactly on the tolerated difference: promote in at most 5 %


@dataclass(frozen=True, slots=True)
class Cell:
    """One line of the table."""

    half: Half
    truth: Truth
    scenario: Scenario


def _good(half: Half, name: str, per_second: float, rate: float, **more: object) -> Cell:
    return Cell(half, Truth.GOOD, Scenario(name, per_second, flat(rate), flat(rate), **more))  # type: ignore[arg-type]


def _bad(half: Half, name: str, per_second: float, rates: tuple[float, float], **more: object) -> Cell:
    baseline, candidate = flat(rates[0]), flat(rates[1])
    return Cell(half, Truth.BAD, Scenario(name, per_second, baseline, candidate, is_bad=True, **more))  # type: ignore[arg-type]


def _late(half: Half, name: str, per_second: float, rates: tuple[float, float], onset: float) -> Cell:
    candidate = Episode(rates[0], rates[1], onset, 1e9)
    return Cell(half, Truth.BAD, Scenario(name, per_second, flat(rates[0]), candidate, onset=onset, is_bad=True))


_INCIDENT, _SLOPE = Episode(0.001, 0.05, 300, 660), Ramp(0.003, 0.015, 900)
_STORM, _FALL = Episode(0.004, 0.12, 150, 480), Ramp(0.02, 0.004, 900)
_T, _U = Half.TUNED, Half.UNSEEN

DEFAULT = (
    _good(_T, "0.1 % at 10/s", 10, 0.001, windows=60),
    _good(_U, "2 % at 20/s, up and down", 20, 0.02, weights=(5, 20, 10, 40, 20), windows=180),
    Cell(_T, Truth.GOOD, Scenario("on the allowed margin, 100/s", 100, flat(0.001), flat(0.002), windows=180)),
    Cell(_U, Truth.GOOD, Scenario("on the allowed margin, 2 %, 40/s", 40, flat(0.02), flat(0.021), windows=180)),
    Cell(_T, Truth.GOOD, Scenario("shared incident, 100/s", 100, _INCIDENT, _INCIDENT, windows=180)),
    Cell(_U, Truth.GOOD, Scenario("shared incident 12 %, 300/s", 300, _STORM, _STORM, windows=180)),
    Cell(_U, Truth.GOOD, Scenario("falling 2 -> 0.4 %, 200/s", 200, _FALL, _FALL, windows=180)),
    _good(_T, "bursts 3, 1 % at 10/s", 10, 0.01, law=Law.CLUSTERS, bursts=3, windows=180),
    _good(_U, "bursts 5, heavy tail, 0.5 % at 60/s", 60, 0.005, law=Law.HEAVY, bursts=5, windows=240),
    _good(_U, "bursts 8, spells, 2 % at 50/s", 50, 0.02, law=Law.SPELLS, bursts=8, windows=240),
    _good(_U, "bursts 2, 0.2 % at 20/s, short past", 20, 0.002, law=Law.CLUSTERS, bursts=2, windows=60),
    _good(_U, "0.5 % at 500/s, lost scrapes, resets", 500, 0.005, lost=0.03, resets=0.05, windows=60),
    _good(_U, "constant pod bias 0.03 pp, 0.4 % at 80/s", 80, 0.004, bias=0.0003, windows=180),
    _good(_T, "bursts 5, 1 % at 60/s, no past", 60, 0.01, law=Law.CLUSTERS, bursts=5, windows=0),
    _bad(_T, "+2 pp on 0.1 % at 10/s", 10, (0.001, 0.021)),
    _bad(_U, "+0.8 pp on 0.2 % at 80/s", 80, (0.002, 0.010)),
    _bad(_T, "x8 of 0.2 % at 50/s", 50, (0.002, 0.016), windows=60),
    _bad(_U, "50 % outage at 10/s", 10, (0.002, 0.5), windows=60),
    _bad(_U, "20 % outage at 2/s", 2, (0.003, 0.2)),
    _bad(_U, "15 % at 1/s", 1, (0.002, 0.15)),
    _late(_U, "+3 pp at 40/s from 500 s", 40, (0.002, 0.032), 500),
    _bad(_U, "+2 pp on 1 %, bursts 3, at 60/s", 60, (0.01, 0.03), law=Law.CLUSTERS, bursts=3),
    Cell(_T, Truth.EDGE, Scenario("+0.5 pp on 0.1 % at 10/s", 10, flat(0.001), flat(0.006))),
    Cell(_U, Truth.EDGE, Scenario("+0.5 pp on 0.4 % at 40/s", 40, flat(0.004), flat(0.009))),
)

FULL = (
    *DEFAULT,
    _good(_U, "0.3 % at 40/s", 40, 0.003, windows=60),
    _bad(_U, "+3 pp on 0.5 % at 6/s", 6, (0.005, 0.035)),
    _good(_U, "0.1 % at 1/s", 1, 0.001, windows=60),
    _good(_U, "0.1 % at 1,000/s", 1000, 0.001, windows=60),
    _good(_U, "10 % at 30/s", 30, 0.1, windows=60),
    _good(_U, "15 looks, 0.2 % at 50/s", 50, 0.002, looks=15, weights=(50,), windows=60),
    _good(_U, "2,160 looks, 0.2 % at 20/s", 20, 0.002, looks=2160, windows=240),
    _good(_U, "2,160 looks, bursts 5, 1 % at 20/s", 20, 0.01, looks=2160, law=Law.HEAVY, bursts=5, windows=480),
    _good(_U, "bursts 10, heavy tail, 1 % at 100/s", 100, 0.01, law=Law.HEAVY, bursts=10, windows=1440),
    _good(_U, "bursts 10, 3 % at 10/s", 10, 0.03, law=Law.CLUSTERS, bursts=10, windows=180),
    _good(_U, "bursts 10, heavy tail, 1 % at 100/s, no past", 100, 0.01, law=Law.HEAVY, bursts=10, windows=0),
    _good(_U, "bursts 5, heavy tail, 0.5 % at 60/s, no past", 60, 0.005, law=Law.HEAVY, bursts=5, windows=0),
    _good(_U, "bursts 3, spells, 2 % at 50/s, no past", 50, 0.02, law=Law.SPELLS, bursts=3, windows=0),
    _good(
        _U,
        "bursts 3, 0.1 % at 10/s, 2,160 looks, no past",
        10,
        0.001,
        looks=2160,
        law=Law.CLUSTERS,
        bursts=3,
        windows=0,
    ),
    _bad(_U, "+0.8 pp on 0.2 % at 80/s, no past", 80, (0.002, 0.010), windows=0),
    _bad(_U, "+1 pp at 2/s, too little traffic", 2, (0.003, 0.013)),
    _good(_U, "bursts 1.3, 1 % at 60/s, short past", 60, 0.01, law=Law.CLUSTERS, bursts=1.3, windows=60),
    _bad(_U, "50 % outage at 300/s", 300, (0.001, 0.5)),
    _bad(_T, "+1 pp on 5 % at 200/s", 200, (0.05, 0.06)),
    _bad(_U, "+5 pp on 10 % at 20/s", 20, (0.1, 0.15)),
    _late(_U, "+1 pp at 300/s from 700 s", 300, (0.001, 0.011), 700),
)
