"""One look as counts of both versions, with the errors that name no version given to whom they belong."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from strategies.gates.chance import NOTHING, Counts, is_share_plausible
from strategies.gates.memory import Tally
from strategies.verdicts import Arm, Reading


@dataclass(frozen=True, slots=True)
class Names:
    """What the two versions are called, and what of theirs is counted."""

    baseline: str
    candidate: str
    counted: str = "request"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A look's counts and levels, and which of them were measured at all; `troubles` says why a metric was not."""

    tally: Tally
    has_baseline: bool
    has_candidate: bool
    seconds: float
    levels: Mapping[str, tuple[float | None, float]] = field(default_factory=dict)
    troubles: Mapping[str, str] = field(default_factory=dict)

    def blaming(self, lost: int) -> "Evidence":
        """The same with no error left that names no version, and `lost` requests counted as the candidate's."""
        candidate = self.tally.candidate.plus(Counts(lost, lost))
        return replace(self, tally=replace(self.tally, candidate=candidate, unknown=0))

    @property
    def is_complete(self) -> bool:
        """True when requests of both versions were measured."""
        return self.has_baseline and self.has_candidate

    def silent(self, names: Names) -> str:
        """The names of the versions without data."""
        missing = [names.baseline] * (not self.has_baseline) + [names.candidate] * (not self.has_candidate)
        return " and ".join(missing)


def evidence(reading: Reading, asked: float | None, names: Names, *, is_answering: bool = True) -> Evidence:
    """The reading as whole numbers; `is_answering` where anybody may get the candidate's answers."""
    baseline, candidate = _counts(reading.baseline), _counts(reading.candidate)
    unknown = round(reading.unattributed or 0)
    tally = Tally(
        baseline or Counts(),
        candidate or Counts(),
        dict(reading.baseline.buckets),
        dict(reading.candidate.buckets),
        unknown,
    )
    if unknown and baseline is not None and candidate is not None:
        tally = _attributed(tally, reading, asked, names) if is_answering else tally
    seconds = (reading.at - reading.since).total_seconds()
    return Evidence(tally, baseline is not None, candidate is not None, seconds)


def _counts(arm: Arm) -> Counts | None:
    if arm.requests is None or arm.errors is None:
        return None
    return Counts(round(arm.requests), round(arm.errors))


def _attributed(tally: Tally, reading: Reading, asked: float | None, names: Names) -> Tally:
    """Requests that reached no pod leave a hole in the share of the version that lost them.

    Without a ready pod the candidate owns them all. Otherwise they belong to the version whose share they complete,
    when they do not complete the other's as well; where the split cannot tell, they stay unknown.
    """
    lost = Counts(tally.unknown, tally.unknown)
    everything = tally.baseline.requests + tally.candidate.requests + tally.unknown
    if asked != 0 and reading.ready is not None and reading.ready.get(names.candidate) == 0:
        return _given(tally, candidate=lost)
    if asked is None:
        return tally
    completes_candidate = is_share_plausible(tally.candidate.requests + tally.unknown, everything, asked)
    completes_baseline = is_share_plausible(tally.candidate.requests, everything, asked)
    if completes_candidate and not completes_baseline:
        return _given(tally, candidate=lost)
    if completes_baseline and not completes_candidate:
        return _given(tally, baseline=lost)
    return tally


def _given(tally: Tally, *, baseline: Counts = NOTHING, candidate: Counts = NOTHING) -> Tally:
    return Tally(
        tally.baseline.plus(baseline),
        tally.candidate.plus(candidate),
        tally.baseline_buckets,
        tally.candidate_buckets,
    )
