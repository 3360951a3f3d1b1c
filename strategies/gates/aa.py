"""A/A replay: a version against itself at past hours, to see how often the judge takes noise for harm.

One pod of the baseline plays the candidate, the rest the baseline; nothing was released, so every rollback is a false
one. The burst factor is raised until they are few: what no law of bursts foresaw is in the past itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from strategies.gates.account import AT_LAUNCH, ERRORS_APART, FIRST_GUESS, LONGEST, MOST, RECENT, SOON, STAKES
from strategies.gates.chance import Line
from strategies.gates.counts import STEPS, Border, Floats, Guess, Samples, log_evidence, worse
from strategies.gates.course import Minutes
from strategies.gates.overdispersion import Bursts, Window
from strategies.gates.past import FALSE

HOUR = 60  # windows of 60 s that one replayed release lasts
MOST_REPLAYS = 400
BAR = 100.0  # odds at which a release is rolled back
STEP = 1.15
MOST_RAISED = 20.0
SURE = 3.0  # standard errors before pods are believed to differ
FEWEST = 20  # requests of the candidate in a replay that says anything
MEASURED = HOUR // 2  # minutes of the hour that the candidate must have been called in


@dataclass(frozen=True, slots=True)
class Replays:
    """Past releases of a version against itself: counts of shape (replays, looks), and the baseline's hour before."""

    baseline: Floats
    baseline_bad: Floats
    candidate: Floats
    candidate_bad: Floats
    before: Floats
    before_bad: Floats
    names: tuple[tuple[str, int], ...] = ()
    """Who played the candidate, and in which hour since the start."""

    def __len__(self) -> int:
        """How many there are."""
        return len(self.names)


@dataclass(frozen=True, slots=True)
class Findings:
    """How many replays there were, who was rolled back, and by how much the burst factor was raised for that."""

    replays: int
    alarms: tuple[tuple[str, int], ...]
    raised: float = 1.0

    @property
    def has_passed(self) -> bool:
        """True when there were replays, and at most one in a hundred was rolled back."""
        return self.replays > 0 and len(self.alarms) <= FALSE * self.replays


def one_against_the_rest(pods: dict[str, Minutes]) -> Replays:
    """Every pod against the others, hour by hour; at most `MOST_REPLAYS`, evenly over the time."""
    names = sorted(pods)
    if len(names) < 2:
        return _replays([], [], [])
    n = np.array([[_requests(minute) for minute in pods[name]] for name in names], dtype=np.float64)
    x = np.array([[_bad(minute) for minute in pods[name]] for name in names], dtype=np.float64)
    hours = n.shape[1] // HOUR
    everybody, failing = n.sum(axis=0), x.sum(axis=0)
    places = [(pod, hour) for hour in range(hours) for pod in range(len(names))]
    every = -(-len(places) // MOST_REPLAYS)
    chosen = [(names[pod], hour) for pod, hour in places[::every] if _says_something(n[pod, _span(hour)])]
    row = {name: place for place, name in enumerate(names)}
    theirs = [(everybody - n[row[name]], failing - x[row[name]]) for name, _ in chosen]
    ours = [(n[row[name]], x[row[name]]) for name, _ in chosen]
    return _replays(chosen, theirs, ours)


def one_after_the_other(name: str, earlier: Minutes, later: Minutes) -> Replays:
    """A time against an earlier one of the same length, hour by hour: today against yesterday."""
    first, second = (
        (np.array([_requests(m) for m in minutes], dtype=float), np.array([_bad(m) for m in minutes], dtype=float))
        for minutes in (earlier, later)
    )
    hours = min(len(earlier), len(later)) // HOUR
    chosen = [
        (name, hour)
        for hour in range(hours)
        if _says_something(first[0][_span(hour)]) and _says_something(second[0][_span(hour)])
    ]
    return _replays(chosen, [first] * len(chosen), [second] * len(chosen))


def alarms(replays: Replays, border: Line, bursts: Bursts) -> NDArray[np.bool_]:
    """Which replays are rolled back, shape (replays,)."""
    return _rolled_back(_logs(replays, border), _apart(replays), bursts)


def calibrated(replays: Replays, border: Line, bursts: Bursts) -> tuple[Bursts, Findings]:
    """The burst factor raised until at most one replay in a hundred is rolled back, and what was found.

    At most `MOST_RAISED` times: what is still rolled back then is no noise but a pod that differs, or an incident.
    """
    if not len(replays):
        return bursts, Findings(0, ())
    logs, apart, raised = _logs(replays, border), _apart(replays), 1.0
    rolled_back = _rolled_back(logs, apart, bursts)
    while rolled_back.mean() > FALSE and raised < MOST_RAISED:
        raised = min(raised * STEP, MOST_RAISED)
        rolled_back = _rolled_back(logs, apart, replace(bursts, factor=bursts.factor * raised))
    names = tuple(replays.names[place] for place in np.flatnonzero(rolled_back))
    return replace(bursts, factor=bursts.factor * raised), Findings(len(replays), names, raised)


def spread(pods: dict[str, Minutes], factor: float) -> float | None:
    """The standard deviation of the pods' constant differences, as a rate; None without two pods that were called.

    Zero while chance, with bad requests in bursts of this factor, explains what differs.
    """
    totals = [(sum(map(_requests, minutes)), sum(map(_bad, minutes))) for minutes in pods.values()]
    called = [(n, x) for n, x in totals if n >= FEWEST]
    requests, bad = sum(n for n, _ in called), sum(x for _, x in called)
    if len(called) < 2:
        return None
    rate = bad / requests
    if not 0 < rate < 1:
        return 0.0
    chance = factor * rate * (1 - rate)
    freedom = len(called) - 1
    square = sum(n * (x / n - rate) ** 2 for n, x in called)
    if square / chance <= freedom + SURE * sqrt(2 * freedom):
        return 0.0
    # The method of moments for rates of unequal samples (DerSimonian, Laird 1986).
    weight = requests - sum(n * n for n, _ in called) / requests
    return sqrt((square - freedom * chance) / weight)


def _requests(minute: Window | None) -> int:
    return minute[0] if minute else 0


def _bad(minute: Window | None) -> int:
    return minute[1] if minute else 0


def _says_something(requests: Floats) -> bool:
    return bool(requests.sum() >= FEWEST and (requests > 0).sum() >= MEASURED)


def _span(hour: int) -> slice:
    return slice(hour * HOUR, (hour + 1) * HOUR)


def _replays(
    chosen: Sequence[tuple[str, int]],
    theirs: Sequence[tuple[Floats, Floats]],
    ours: Sequence[tuple[Floats, Floats]],
) -> Replays:
    hours = [_span(hour) for _, hour in chosen]
    parts = [
        np.array([counts[part][at] for counts, at in zip(arm, hours, strict=True)], dtype=np.float64).reshape(-1, HOUR)
        for arm in (theirs, ours)
        for part in (0, 1)
    ]
    # Of the first hour nothing is known before it: its own minutes must not tell.
    before, before_bad = (
        np.array([arm[part][max(at.start - HOUR, 0) : at.start].sum() for arm, at in zip(theirs, hours, strict=True)])
        for part in (0, 1)
    )
    return Replays(parts[0], parts[1], parts[2], parts[3], before, before_bad, tuple(chosen))


def _logs(replays: Replays, border: Line) -> Floats:
    """The untempered evidence of each look, shape (replays, looks, steps), from what was known before it."""
    requests, bad = _recent(replays.before, replays.before_bad)
    guesses = np.empty_like(replays.baseline)
    for look in range(guesses.shape[1]):
        guesses[:, look] = (bad + FIRST_GUESS[1]) / (requests + FIRST_GUESS[0])
        requests, bad = _recent(requests + replays.baseline[:, look], bad + replays.baseline_bad[:, look])
    line = Border(np.full(guesses.shape, border.ratio), np.full(guesses.shape, border.offset))
    counts = (replays.baseline, replays.baseline_bad, replays.candidate, replays.candidate_bad)
    seen = Samples(*(array[..., None] for array in counts))
    wide = Border(line.ratio[..., None], line.offset[..., None])
    return log_evidence(seen, Guess(guesses[..., None], worse(guesses, line)), wide)


def _recent(requests: Floats, bad: Floats) -> tuple[Floats, Floats]:
    rare = np.minimum(bad, requests - bad)
    shrink = np.where(rare > RECENT, RECENT / np.maximum(rare, 1e-9), 1.0)
    return requests * shrink, bad * shrink


def _apart(replays: Replays) -> Floats:
    """In how many looks the candidate had bad requests so far."""
    return np.cumsum(replays.candidate_bad > 0, axis=1).astype(np.float64)


def _rolled_back(logs: Floats, apart: Floats, bursts: Bursts) -> NDArray[np.bool_]:
    factors = np.exp(np.clip(logs / bursts.factor, -700.0, 460.0))
    wealth, stakes, paid = np.zeros((len(logs), len(STEPS))), np.asarray(STAKES), 0.0
    is_back = np.zeros(len(logs), dtype=bool)
    for look in range(logs.shape[1]):
        late = np.log1p(look / SOON) / np.log1p(LONGEST / SOON)
        placed, paid = AT_LAUNCH + (1 - AT_LAUNCH) * late - paid, AT_LAUNCH + (1 - AT_LAUNCH) * late
        wealth = np.minimum((wealth + placed * stakes) * factors[:, look], MOST)
        is_believable = bursts.is_known | (apart[:, look] >= ERRORS_APART)
        is_back |= (wealth.sum(axis=1) + 1 - paid >= BAR) & is_believable
    return is_back
