"""What the evidence on one counted metric has come to, look by look; small, and stored between looks.

Harm is a mixture over how bad the candidate may be (`counts.STEPS`) and over when it began to be: most of the stake is
placed at launch, the rest minute by minute, so that a late breakage is found soon too. Safety is a mixture over how
good it may be, without later starts. Both are wealth that a release on the border multiplies by at most 1 on average.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from strategies.gates.chance import Line
from strategies.gates.counts import CALM, STEPS, nats_beyond
from strategies.gates.overdispersion import Bursts
from strategies.gates.roughness import Roughness

AT_LAUNCH = 0.8  # of the stake against harm
LONGEST = 720.0  # minutes over which the rest is spread when no deadline says less
SOON = 10.0  # minutes; without a deadline early starts get more of it
CALM_WEIGHTS = (0.6, 0.4)
STAKES = (0.04, 0.07, 0.1, 0.13, 0.14, 0.14, 0.14, 0.12, 0.12)  # barely worse matters at high rates alone
MOST = 1e200
RECENT = 200.0  # rare events that the baseline's rate is estimated from; older ones fade
FIRST_GUESS = (100.0, 0.2)  # requests and bad ones that stand in before anything is known
OUTAGE = 4  # at least one request in so many is bad
SURE_TOTALS = math.log(200)  # nats that the totals must show by themselves where history is too short to know bursts
ERRORS_APART = 5  # (look, pod) pairs with bad requests before an unknown way of failing counts as harm


@dataclass(slots=True)
class Account:
    """Wealth, the baseline's rate so far, and totals by weight of one metric.

    `roughness` is how bad requests of baseline and candidate come during the release, for want of history; `rough` the
    burst factor that it gave after the newest look.
    """

    border: Line
    tolerated: Line
    bursts: Bursts = field(default_factory=Bursts)
    edge: float | None = None
    requests: float = 0.0
    bad: float = 0.0
    harm: list[float] = field(default_factory=lambda: [0.0] * len(STEPS))
    safe: list[float] = field(default_factory=lambda: list(CALM_WEIGHTS))
    paid: float = 0.0
    gain: float = 0.0
    stages: dict[float, list[int]] = field(default_factory=dict)
    errors_apart: int = 0
    outage: list[int] = field(default_factory=lambda: [0, 0, 0])
    roughness: tuple[Roughness, Roughness] = field(default_factory=lambda: (Roughness(), Roughness()))
    rough: float = 1.0

    @property
    def guess(self) -> float:
        """The baseline's rate as far as it is known."""
        return (self.bad + FIRST_GUESS[1]) / (self.requests + FIRST_GUESS[0])

    def learn(self, requests: int, bad: int) -> None:
        """Let the baseline's requests into the guess; call it after the look was used."""
        self.requests, self.bad = self.requests + requests, self.bad + bad
        rare = min(self.bad, self.requests - self.bad)
        if rare > RECENT:
            self.requests, self.bad = self.requests * RECENT / rare, self.bad * RECENT / rare

    @property
    def harm_odds(self) -> float:
        """The odds that the candidate is worse than allowed; 1 before the first look."""
        return min(sum(self.harm) + 1 - self.paid, MOST)

    @property
    def safe_odds(self) -> float:
        """The odds that the candidate is better than the tolerated worsening; 1 before the first look."""
        return min(sum(self.safe), MOST)

    @property
    def tempering(self) -> float:
        """What the next look's evidence is divided by: the bursts of history, or else those of the release so far."""
        return self.bursts.factor if self.bursts.is_known else max(self.bursts.factor, self.roughness_factor)

    @property
    def shown_bursts(self) -> float:
        """The burst factor after the newest look that was judged."""
        return self.bursts.factor if self.bursts.is_known else max(self.bursts.factor, self.rough)

    @property
    def roughness_factor(self) -> float:
        """The burst factor of the release so far, the larger one of both versions'."""
        return max(self.roughness[0].factor, self.roughness[1].factor)

    @property
    def is_believable(self) -> bool:
        """False while harm may be a burst: history too short to know, and bad requests in few places, or too rough.

        An outage is believed sooner: two looks of which a quarter is bad, and a quarter of all since, are no burst.
        """
        if self.bursts.is_known:
            return True
        looks, requests, bad = self.outage
        if looks >= 2 and bad >= 3 and bad * OUTAGE >= requests:
            return True
        return self.errors_apart >= ERRORS_APART and self.excess / self.shown_bursts >= SURE_TOTALS

    @property
    def excess(self) -> float:
        """The likelihood of all that was seen against the nearest point of the border, in nats, weight by weight."""
        return sum(nats_beyond(kept, self.border) for kept in self.stages.values())

    def pay(self, elapsed: float, horizon: float | None) -> float:
        """The stake that is placed now, `elapsed` minutes after launch, with `horizon` minutes to the deadline."""
        minute = math.floor(elapsed)
        if horizon is None:
            late = math.log1p(minute / SOON) / math.log1p(LONGEST / SOON)
        else:
            late = minute / max(math.ceil(horizon), 1)
        paid = AT_LAUNCH + (1 - AT_LAUNCH) * min(late, 1.0)
        placed, self.paid = max(paid - self.paid, 0.0), max(paid, self.paid)
        return placed

    def multiply(self, placed: float, factors: Sequence[float]) -> None:
        """Place stake and let a look's likelihood ratios work: the first for harm, the last for safety."""
        parts = zip(self.harm, STAKES, factors, strict=False)  # what is left of the factors is safety's
        self.harm = [min((wealth + placed * stake) * factor, MOST) for wealth, stake, factor in parts]
        calm = factors[len(STEPS) :]
        self.safe = [min(wealth * factor, MOST) for wealth, factor in zip(self.safe, calm, strict=True)]

    def note(self, weight: float, totals: tuple[int, int, int, int], failing_pods: int) -> None:
        """Add a look to the totals of its weight and to what is known of how bad requests come."""
        kept = self.stages.setdefault(weight, [0, 0, 0, 0])
        for place, number in enumerate(totals):
            kept[place] += number
        self.errors_apart += failing_pods
        looks, requests, bad = self.outage
        is_bad = totals[3] > 0 and totals[3] * OUTAGE >= totals[2]  # one big burst makes one bad look, not two
        looks, requests, bad = looks + is_bad, requests + totals[2], bad + totals[3]
        self.outage = [looks, requests, bad] if bad * OUTAGE >= requests else [0, 0, 0]

    def needed(self, safe_odds: float) -> int | None:
        """Candidate requests until `safe_odds`, if it is as good as the baseline; None when that cannot be said."""
        if self.safe_odds >= safe_odds:
            return 0
        if self.gain <= 0:
            return None
        missing = math.log(safe_odds) - math.log(max(self.safe[0], 1e-290))
        return math.ceil(min(max(missing, 0.0) / self.gain, 1e15)) or 1


assert (len(CALM_WEIGHTS), len(STAKES)) == (len(CALM), len(STEPS))  # noqa: S101 - tables that belong together
