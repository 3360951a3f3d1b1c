"""What one look read, and what a gate says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """The three answers of a gate. No data is `wait`, never `pass`."""

    PASS = "pass"  # noqa: S105 - an answer, not a secret
    WAIT = "wait"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A gate's answer with its evidence, in the unit of the metric.

    `reason` is one sentence for a person. `missing` says what a `wait` waits for. `baseline`, `candidate` and
    `bound` are what was compared (`unit`: "ratio", "ms", "requests", "cores", "bytes" or "1"); None where there was
    no data. `harm_odds` and `safe_odds` are what a judge that adds up evidence has come to, and `needed_requests` how
    many of the candidate's it still asks for; None from other judges.
    """

    gate: str
    outcome: Outcome
    reason: str
    baseline: float | None = None
    candidate: float | None = None
    bound: float | None = None
    unit: str = "1"
    missing: str = ""
    harm_odds: float | None = None
    safe_odds: float | None = None
    needed_requests: int | None = None


@dataclass(frozen=True, slots=True)
class Arm:
    """What one version did inside one look.

    `requests` and `errors` are counts in the look (errors: answers of class 5xx and requests that never got an
    answer); `buckets` are cumulative counts by upper bound in milliseconds (`inf` last). None means that nothing was
    measured: no scrape, a stale series, a lost answer. Zero means measured, and none came. `counts` are opportunities
    and events of the other counted metrics, `gauges` levels, both by metric and only where measured. `cancelled` are
    requests whose caller hung up (no errors, and no answers either), `retried` those that failed after retries.
    """

    requests: float | None = None
    errors: float | None = None
    buckets: Mapping[float, float] = field(default_factory=dict)
    gauges: Mapping[str, float] = field(default_factory=dict)
    counts: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    cancelled: float = 0.0
    retried: float = 0.0

    @property
    def error_rate(self) -> float | None:
        """Errors per request, None without requests."""
        if not self.requests or self.errors is None:
            return None
        return self.errors / self.requests


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at one release: the same window for both versions.

    `since` and `at` bound the window. `unattributed` counts errors that name no version. `trouble` says why there is
    nothing (Prometheus down, stale, no series), empty when there is something. `ready` is the number of ready pods by
    version, None where the cluster could not be asked. In a mirrored look both arms are what the receivers counted, so
    that the candidate's are copies alone; `live` is what callers got from it all the same, None where that is unknown.
    `troubles` says of single metrics why they have nothing. `resets` counts proxies whose counters began anew: what
    they report is the least that happened.
    """

    at: datetime
    since: datetime
    baseline: Arm = field(default_factory=Arm)
    candidate: Arm = field(default_factory=Arm)
    unattributed: float | None = None
    trouble: str = ""
    ready: Mapping[str, int] | None = None
    is_mirrored: bool = False
    live: float | None = None
    troubles: Mapping[str, str] = field(default_factory=dict)
    resets: int = 0

    @property
    def share(self) -> float | None:
        """The candidate's measured share of requests, 0 to 1; None without requests, and where it got copies alone."""
        if self.is_mirrored:
            return None
        if self.baseline.requests is None and self.candidate.requests is None:
            return None
        ours, theirs = self.candidate.requests or 0.0, self.baseline.requests or 0.0
        return ours / (ours + theirs) if ours + theirs else None
