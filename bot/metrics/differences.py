"""Candidate minus baseline over the looks: what was measured, and what the evidence has not ruled out."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.metrics.curves import QUANTILES, asked_shares
from bot.metrics.density import groups
from bot.ports import Card, Look
from strategies.gates import bands
from strategies.gates.account import Account
from strategies.gates.bands import Band, Bar, Seen
from strategies.gates.evidence import Evidence, Names, evidence
from strategies.gates.exceedance import above, exceedance
from strategies.gates.figures import milliseconds, points
from strategies.gates.latency import added
from strategies.gates.ledger import account_of
from strategies.gates.measures import measured
from strategies.gates.memory import ERRORS, Memory, recall
from strategies.gates.odds import ALPHA
from strategies.gates.overdispersion import Bursts, Window, bursts
from strategies.gates.rate import border
from strategies.plan import Better, Kind, MetricGate
from strategies.verdicts import Outcome

ROOM = 1.3  # of the plotted height: what must be seen does not touch the edge
BELOW = 0.3  # of the larger side of zero is shown on the other one at least
LEAST = 0.001
MINUTE = 60.0
FEWEST_WINDOWS = 10


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric's panel. `sign` is -1 where more is better: then the band's upper end bounds the harm.

    `words` writes a difference with its sign and unit. `allowed` and `tolerated` are the newest differences that the
    gate asks for, as plotted; None where it asks none.
    """

    title: str
    band: Band
    allowed: float
    tolerated: float | None
    sign: int = 1
    outcome: Outcome | None = None
    words: Callable[[float], str] = points

    @property
    def limits(self) -> tuple[float, float]:
        """Bottom and top of the plot: zero, both margins, what was measured, and what fits of the band's newest end.

        A band that is wide open would leave no room for what is compared.
        """
        low, high, measured = self.newest
        inside = [0.0, self.allowed, self.tolerated or 0.0, measured if math.isfinite(measured) else 0.0]
        reach = max(map(abs, inside))
        top = max(*inside, min(high, reach) if math.isfinite(high) else 0.0) * ROOM
        bottom = min(*inside, max(low, -reach) if math.isfinite(low) else 0.0) * ROOM
        size = max(top, -bottom) or LEAST
        return min(bottom, -BELOW * size), max(top, BELOW * size)

    @property
    def newest(self) -> tuple[float, float, float]:
        """The band's lower and upper end as plotted, and what was measured."""
        low, high = self.low, self.high
        return (low[-1], high[-1], self.measured[-1]) if low else (-math.inf, math.inf, math.nan)

    @property
    def low(self) -> tuple[float, ...]:
        """The band's lower end as plotted."""
        return self.band.least if self.sign > 0 else tuple(-value for value in self.band.greatest)

    @property
    def high(self) -> tuple[float, ...]:
        """The band's upper end as plotted."""
        return self.band.greatest if self.sign > 0 else tuple(-value for value in self.band.least)

    @property
    def measured(self) -> tuple[float, ...]:
        """What was measured so far, as plotted."""
        return tuple(self.sign * value for value in self.band.measured)

    @property
    def left_allowed(self) -> int | None:
        """The look from which on the whole band is worse than allowed."""
        edge = self.sign * self.allowed
        return next((place for place, low in enumerate(self.band.least) if low >= edge), None)

    @property
    def left_tolerated(self) -> int | None:
        """The look from which on the whole band is better than tolerated."""
        if self.tolerated is None:
            return None
        edge = self.sign * self.tolerated
        return next((place for place, high in enumerate(self.band.greatest) if high <= edge), None)


def is_comparable(gate: MetricGate) -> bool:
    """True for what is best shown as a difference: counts against the baseline, latency whose tail is weighed."""
    if gate.measured is Kind.COUNTS:
        return gate.allowed is not None or gate.tolerated is not None
    return gate.measured is Kind.LATENCY and gate.tolerated is not None


def differences(card: Card, looks: Sequence[Look], gates: Sequence[MetricGate]) -> dict[str, Difference]:
    """The panel of each gate by metric, one value per group of `density.groups`; a gate without any data has none."""
    wanted = [gate for gate in gates if is_comparable(gate)]
    if not wanted or not looks:
        return {}
    seen = _evidence(card, looks, wanted)
    kept = recall(card.release.memory).odds
    found = {}
    for gate in wanted:
        account = account_of(kept[gate.metric]["trial"]["accounts"][gate.metric]) if gate.metric in kept else None
        panel = _difference(card, gate, looks, seen, account)
        if panel is not None:
            found[gate.metric] = panel
    return found


def _evidence(card: Card, looks: Sequence[Look], gates: Sequence[MetricGate]) -> list[Evidence | None]:
    """What each look counts for; None for one that spans a change of the split, or has no data."""
    target, shares = card.release.target, asked_shares(card)
    names, memory, stage = Names(target.baseline, target.candidate), Memory(), -1
    found: list[Evidence | None] = []
    for look in looks:
        asked = shares[look.stage] if 0 <= look.stage < len(shares) else 0.0
        spans, stage = look.stage != stage, look.stage
        known = None if math.isnan(asked) else asked
        seen = evidence(look.reading, known, names, is_answering=not look.reading.is_mirrored)
        seen, memory = measured(gates, look.reading, known, names, seen, memory)
        found.append(None if spans or not seen.is_complete or asked >= 1 else seen)
    return found


def _difference(
    card: Card, gate: MetricGate, looks: Sequence[Look], seen: Sequence[Evidence | None], account: Account | None
) -> Difference | None:
    account = account or _asked(gate, seen)
    if account is None:
        return None
    start = looks[0].at
    each = [_counts(gate, one, account.edge) for one in seen]
    by_look = {id(look): counts for look, counts in zip(looks, each, strict=True)}
    points_ = [
        Seen(
            (group[-1].at - start).total_seconds(), *map(sum, zip(*(by_look[id(look)] for look in group), strict=True))
        )
        for group in groups(looks)
    ]
    sign = -1 if gate.better is Better.HIGHER else 1
    baseline, bad = sum(counts[0] for counts in each), sum(counts[1] for counts in each)
    rate = bad / baseline if baseline else 0.0
    allowed, tolerated = ((line.ratio - 1) * rate + line.offset for line in (account.border, account.tolerated))
    is_weighed = gate.tolerated is not None
    weighed = sum(1 for other in _gates(card) if other.tolerated is not None and other.measured is not Kind.GAUGE)
    bar = Bar(
        harm_odds=max(weighed, 1) / ALPHA if is_weighed else 2 / ALPHA,
        bursts=Bursts(account.shown_bursts, account.bursts.is_known) if is_weighed else _bursts(each, looks),
        tolerated=tolerated if is_weighed else -math.inf,
    )
    shown = Difference(_title(card, gate, account), Band(measured=bands.measured(points_)), sign * allowed,
                       sign * tolerated if is_weighed else None, sign, _outcome(card, gate))  # fmt: skip
    low, high = sorted(sign * edge for edge in shown.limits)
    told = points_ if sign > 0 else bands.only_learnt(points_)
    band = bands.band(told, bands.spread(2 * low, 2 * high, allowed, tolerated), bar)
    if is_weighed:
        is_harm = account.is_believable and account.harm_odds >= bar.harm_odds
        is_safe = account.safe_odds >= bar.safe_odds
        band = band.held_to(allowed, tolerated, is_harm=is_harm, is_safe=is_safe)
    return Difference(shown.title, band, shown.allowed, shown.tolerated, sign, shown.outcome)


def _asked(gate: MetricGate, seen: Sequence[Evidence | None]) -> Account | None:
    """The margins of a gate that keeps no evidence, or has not begun to."""
    allowed, tolerated = gate.allowed or gate.tolerated, gate.tolerated or gate.allowed
    if allowed is None or tolerated is None:
        return None
    if gate.measured is Kind.COUNTS:
        return Account(border(allowed, gate.better), border(tolerated, gate.better))
    buckets: Mapping[float, float] = {}
    for one in seen:
        buckets = added(buckets, one.tally.baseline_buckets) if one else buckets
    found = exceedance(QUANTILES[gate.metric], allowed.value, tolerated.value, buckets) if buckets else None
    if found is None or not (allowed.relative and tolerated.relative):
        return None
    account = Account(border(allowed)._replace(ratio=1.0, offset=found.allowed), border(allowed), edge=found.edge)
    account.tolerated = account.border._replace(offset=found.tolerated)
    return account


def _counts(gate: MetricGate, seen: Evidence | None, edge: float | None) -> tuple[int, int, int, int]:
    if seen is None or gate.metric in seen.troubles:
        return 0, 0, 0, 0
    if gate.measured is Kind.LATENCY:
        arms = [above(edge or 0.0, buckets) for buckets in (seen.tally.baseline_buckets, seen.tally.candidate_buckets)]
        if arms[0] is None or arms[1] is None:
            return 0, 0, 0, 0
        return *arms[0], *arms[1]
    theirs, ours = seen.tally.of(gate.metric)
    return *theirs, *ours


def _bursts(each: Sequence[tuple[int, int, int, int]], looks: Sequence[Look]) -> Bursts:
    """How the baseline's bad requests came, minute by minute."""
    windows: list[Window] = []
    requests, bad, seconds = 0, 0, 0.0
    for counts, look in zip(each, looks, strict=True):
        requests, bad = requests + counts[0], bad + counts[1]
        seconds += (look.reading.at - look.reading.since).total_seconds()
        if seconds >= MINUTE:
            windows.append((requests, bad))
            requests, bad, seconds = 0, 0, 0.0
    return bursts(windows) if len(windows) >= FEWEST_WINDOWS else Bursts()


def _gates(card: Card) -> Sequence[MetricGate]:
    stage = card.release.current or card.release.plan.stages[0]
    return stage.metric_gates


def _outcome(card: Card, gate: MetricGate) -> Outcome | None:
    verdicts = card.release.verdicts or (card.looks[-1].verdicts if card.looks else ())
    return next((verdict.outcome for verdict in verdicts if verdict.gate == gate.metric), None)


def _title(card: Card, gate: MetricGate, account: Account) -> str:
    target = card.release.target
    if gate.measured is Kind.LATENCY:
        name = f"Slower than {milliseconds(account.edge or 0.0)} (p{QUANTILES[gate.metric] * 100:.0f})"
    else:
        name = "Errors (5xx)" if gate.metric == ERRORS else gate.metric.replace("_", " ").capitalize()
    return f"{name}: {target.candidate} minus {target.baseline}"
