"""How a release's own bad requests come, look by look, where no history tells: the differences between neighbours.

Counts of neighbouring looks differ by chance alone as a binomial says; bursts make them differ more. A rate that moves
slowly leaves neighbours alike, so that neither a drift nor a shared incident is taken for bursts. The estimate is von
Neumann's ratio of successive differences, held against its own standard error.
"""

from dataclasses import dataclass
from math import sqrt

from strategies.gates.overdispersion import HEAVY

FEWEST = 5  # bad requests


@dataclass(slots=True)
class Roughness:
    """One version's looks so far: pairs of neighbours, requests, bad ones, the sum of squares, the newest look."""

    pairs: float = 0.0
    requests: float = 0.0
    bad: float = 0.0
    squares: float = 0.0
    newest: float = 0.0
    newest_bad: float = 0.0

    def plain(self) -> tuple[float, ...]:
        """The stored form, in the order of the fields."""
        return self.pairs, self.requests, self.bad, self.squares, self.newest, self.newest_bad

    def note(self, requests: int, bad: int) -> None:
        """One look more; one without requests says nothing."""
        if requests <= 0:
            return
        if self.newest > 0:
            apart = bad / requests - self.newest_bad / self.newest
            self.squares += apart * apart / (1 / requests + 1 / self.newest)
            self.pairs += 1
        self.requests, self.bad = self.requests + requests, self.bad + bad
        self.newest, self.newest_bad = requests, bad

    @property
    def factor(self) -> float:
        """The burst factor, at least 1, raised where it is sure: 1 while chance explains it all."""
        if self.pairs <= 0 or self.bad < FEWEST:
            return 1.0
        rate = (self.bad + 0.5) / (self.requests + 1)
        measured = self.squares / self.pairs / (rate * (1 - rate))
        certainty = (measured - 1) / sqrt((3 + self.pairs / self.bad) / self.pairs)
        return measured * (1 + (HEAVY - 1) * min(certainty - 1, 1.0)) if certainty > 1 else 1.0
