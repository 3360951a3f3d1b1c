"""The odds of counts written down a second time, by plain sums and bisection: what the judge must come to."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

STEPS = (0.09, 0.18, 0.36, 0.7, 1.2, 1.8, 2.7, 4.0, 6.2)
STAKES = (0.04, 0.07, 0.1, 0.13, 0.14, 0.14, 0.14, 0.12, 0.12)
Line = tuple[float, float]
Four = tuple[int, int, int, int]
"""Baseline's requests and bad ones, the candidate's."""


def nearest(n0: float, n1: float, guess: tuple[float, float], line: Line) -> tuple[float, float]:
    """The point of the line at which `n0 KL(a0, q0) + n1 KL(a1, q1)` is least, by halving where its slope is zero."""
    (a0, a1), (r, d) = guess, line
    low, high = max(0.0, -d / r), min(1.0, (1 - d) / r)
    for _ in range(120):
        q = (low + high) / 2
        q1 = r * q + d
        slope = n0 * (q - a0) / (q * (1 - q)) + n1 * r * (q1 - a1) / (q1 * (1 - q1))
        low, high = (q, high) if slope < 0 else (low, q)
    q = (low + high) / 2
    return q, r * q + d


def divergence(a: float, q: float) -> float:
    return a * math.log(a / q) + (1 - a) * math.log((1 - a) / (1 - q))


def log_ratio(seen: Four, guess: tuple[float, float], line: Line) -> float:
    n0, x0, n1, x1 = seen
    if not n0 or not n1 or math.isnan(guess[1]):
        return 0.0
    total = 0.0
    for n, x, a, q in zip((n0, n1), (x0, x1), guess, nearest(n0, n1, guess, line), strict=True):
        total += x * math.log(a / q) + (n - x) * math.log((1 - a) / (1 - q))
    return total


def harmful(a0: float, line: Line) -> list[float]:
    on_line = max(line[0] * a0 + line[1], 1e-7)
    return [1 / (1 + (1 - on_line) / on_line * math.exp(-step)) for step in STEPS]


def calm(a0: float, line: Line, depths: Sequence[float] = (0.0, 0.4)) -> list[float]:
    on_line = line[0] * a0 + line[1]
    start = a0 if on_line > a0 else on_line / 2
    rates = [max(start + depth * max(on_line - start, 0.0), 1e-7) for depth in depths]
    return [rate if rate < on_line else math.nan for rate in rates]


def roughness(looks: Sequence[tuple[int, int]]) -> float:
    """Von Neumann's ratio of successive differences of one version's looks."""
    bad, pairs = sum(x for _, x in looks), len(looks) - 1
    if pairs < 1 or bad < 5:
        return 1.0
    rate = (bad + 0.5) / (sum(n for n, _ in looks) + 1)
    squares = sum((x / n - y / m) ** 2 / (1 / n + 1 / m) for (n, x), (m, y) in pairwise(looks))
    measured = squares / pairs / (rate * (1 - rate))
    certainty = (measured - 1) / math.sqrt((3 + pairs / bad) / pairs)
    return measured * (1 + 0.5 * min(certainty - 1, 1.0)) if certainty > 1 else 1.0


def placed_by(minute: int, horizon: float | None) -> float:
    """The part of the stake against harm that is placed so many whole minutes after launch."""
    late = math.log(1 + minute / 10) / math.log(73) if horizon is None else minute / max(math.ceil(horizon), 1)
    return 0.8 + 0.2 * min(late, 1.0)


@dataclass
class Wealth:
    """Harm and safety against their lines, look by look; `factor` divides the evidence, None: it is learnt."""

    harm_line: Line
    safe_line: Line
    horizon: float | None = None
    factor: float | None = 1.0
    requests: float = 0.0
    bad: float = 0.0
    depths: tuple[float, ...] = (0.0, 0.4)
    safe: list[float] = field(default_factory=lambda: [0.6, 0.4])
    harm: list[float] = field(default_factory=lambda: [0.0] * 9)
    placed: float = 0.0
    gain: float = 0.0
    seen: list[Four] = field(default_factory=list)

    def see(self, minute: float, look: Four) -> None:
        n0, x0, n1, _ = look
        factor = self.factor or max(roughness([s[:2] for s in self.seen]), roughness([s[2:] for s in self.seen]))
        a0 = (self.bad + 0.2) / (self.requests + 100)
        self.requests, self.bad = self.requests + n0, self.bad + x0
        rare = min(self.bad, self.requests - self.bad)
        shrink = 200 / rare if rare > 200 else 1.0
        self.requests, self.bad = self.requests * shrink, self.bad * shrink
        now = max(placed_by(math.floor(minute), self.horizon), self.placed)
        more, self.placed = now - self.placed, now
        for j, a1 in enumerate(harmful(a0, self.harm_line)):
            ratio = math.exp(min(log_ratio(look, (a0, a1), self.harm_line) / factor, 460.0))
            self.harm[j] = (self.harm[j] + more * STAKES[j]) * ratio
        guesses = calm(a0, self.safe_line, self.depths)
        for j, a1 in enumerate(guesses):
            self.safe[j] *= math.exp(max(log_ratio(look, (a0, a1), self.safe_line) / factor, -700.0))
        if n0 and n1 and not math.isnan(guesses[0]):
            near = nearest(n0, n1, (a0, guesses[0]), self.safe_line)
            gain = (divergence(guesses[0], near[1]) + divergence(a0, near[0]) * n0 / n1) / factor
            self.gain = 0.9 * self.gain + 0.1 * gain if self.gain else gain
        self.seen.append(look)

    @property
    def harm_odds(self) -> float:
        return sum(self.harm) + 1 - self.placed

    @property
    def safe_odds(self) -> float:
        return sum(self.safe)

    @property
    def needed(self) -> int:
        """Candidate requests to odds of 20 for safety at the present gain, on the guess that it is as good."""
        return (
            0 if self.safe_odds >= 20 else math.ceil(max(math.log(20 / max(self.safe[0], 1e-290)), 0) / self.gain) or 1
        )
