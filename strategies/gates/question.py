"""What the sequential judge is asked of a release: metrics, margins, error budget, deadline."""

from dataclasses import dataclass

from strategies.plan import Better, Kind

__all__ = ["PAUSE_ODDS", "Kind", "Metric", "Question"]

PAUSE_ODDS = 10.0  # odds of harm at which nobody goes on, though nothing is proven yet


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric and its margins.

    `allowed` is a worsening that is no harm, `tolerated` one that must be ruled out before promotion; both positive:
    rates for counts, relative for latency (0.1 = 10 %), in the metric's unit for gauges. Counts may carry a `ratio` to
    the baseline's rate besides. With `better` higher the second count is the good event and margins are drops.
    `words` are both margins as the owner wrote them, empty where the figures speak for themselves.
    """

    name: str
    kind: Kind
    allowed: float
    tolerated: float
    ratio: float = 1.0
    better: Better = Better.LOWER
    weight: float = 1.0
    quantile: float = 0.99
    words: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Question:
    """All that is asked of one release.

    `alpha` bounds the chance that a good release is rolled back; with a deadline half of it is spent look by look and
    half on one test at the deadline. `is_eager` promotes as soon as safety holds instead of at the deadline.
    `is_halved` keeps that half for a test whose time the caller knows; `total` is the release's whole budget where
    `alpha` is but this question's part.
    """

    metrics: tuple[Metric, ...]
    alpha: float = 0.01
    safe_odds: float = 20.0
    deadline_s: float | None = None
    min_requests: int = 0
    is_eager: bool = False
    is_halved: bool = False
    total: float | None = None

    @property
    def harm_odds(self) -> float:
        """The odds of harm at which the release is rolled back."""
        return (2.0 if self.is_halved or self.deadline_s is not None else 1.0) / self.alpha

    def budget(self, metric: Metric) -> float:
        """The metric's part of the error budget, 0 to 1; a gauge has none, for it rolls nothing back."""
        if metric.kind is Kind.GAUGE:
            return 0.0
        return metric.weight / sum(other.weight for other in self.metrics if other.kind is not Kind.GAUGE)
