"""What `sluice replay --picture` draws: the looks of a release as the lines told them, and what they prove."""

import math
import re
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby, pairwise
from pathlib import Path

import typer

from bot.cli.output import Exit, stop
from bot.metrics.charts import draw_scene
from bot.metrics.curves import Curve, Panel, StageSpan, cut
from bot.metrics.descriptions import LONGEST, clauses, described
from bot.metrics.differences import Difference
from bot.metrics.scenes import MOST_PANELS, Scene
from bot.replay.session import Release
from strategies.gates import bands
from strategies.gates.account import Account
from strategies.gates.bands import Band, Bar, Seen
from strategies.gates.exceedance import above
from strategies.gates.figures import count, milliseconds, percent
from strategies.gates.gauges import TIGHTEST, variance_per_look
from strategies.gates.overdispersion import Bursts
from strategies.gates.question import Metric
from strategies.gates.trial import Look, Sample, bad_of
from strategies.plan import Better, Kind
from strategies.verdicts import Outcome

MOST_POINTS = 80
MOST_PICTURES = 100
_OUTCOMES = {"roll_back": Outcome.FAIL, "promote": Outcome.PASS, "hold": Outcome.WAIT}
_BADGES = {Outcome.FAIL: "ROLL BACK", Outcome.PASS: "PROMOTE", Outcome.WAIT: "HOLD"}
Answer = dict[str, object]


def save_pictures(
    file: Path, releases: dict[str, Release], decisions: Sequence[Answer], start: datetime | None = None
) -> None:
    """Draw each decided release into `file`, or into one file beside it for each where there are several.

    The words go to stderr for who cannot see them. Exits 2 when a file cannot be written, or there are too many.
    """
    if len(decisions) > MOST_PICTURES:
        stop(Exit.USAGE, f"--picture draws at most {MOST_PICTURES} releases, and here are {len(decisions):,}.")
    for decision in decisions:
        name = str(decision["release"])
        safe = re.sub(r"[^\w.-]", "_", name)[:100]
        to = file if len(decisions) == 1 else file.with_name(f"{file.stem}-{safe}{file.suffix}")
        picture = draw_scene(scene(name, releases[name], decision, start))
        try:
            to.write_bytes(picture.png)
        except OSError as error:
            stop(Exit.USAGE, f"--picture {to}: {error.strerror}")
        typer.echo(f"{to}: {picture.alt_text}", err=True)


def scene(name: str, release: Release, decision: Answer, start: datetime | None = None) -> Scene:
    """The share of requests and the difference of each metric up to the decision."""
    looks = [look for look in release.looks if decision["t"] is None or look.t <= float(str(decision["t"]))]
    groups = _groups(looks)
    times = [group[-1].t for group in groups]
    metrics = release.trial.question.metrics[: MOST_PANELS - 1]
    differences = [_difference(release, metric, groups, looks) for metric in metrics]
    panels: list[Panel | Difference] = [_share(release, groups), *differences]
    outcome, reason = _OUTCOMES[str(decision["decision"])], str(decision["reason"])
    parts = [f"{name}: {_BADGES[outcome]}.", f"{count(len(looks), 'look')}.", reason, *map(described, panels)]
    return Scene(
        title=name,
        subtitle=count(len(looks), "look"),
        why=clauses(reason),
        outcome=outcome,
        times=times,
        spans=_spans(groups),
        panels=panels,
        start=start,
        alt_text=cut(" ".join(parts), LONGEST),
        badge=_BADGES[outcome],
    )


def _groups(looks: Sequence[Look]) -> list[Sequence[Look]]:
    """Neighbours of one weight; the look that spans a change of the weight stands alone, for it counts for nothing."""
    size = math.ceil(len(looks) / MOST_POINTS)
    groups: list[Sequence[Look]] = []
    for _, of_weight in groupby(looks, key=lambda look: look.weight):
        stage = list(of_weight)
        first = [stage[:1]] if groups else []
        rest = stage[1:] if groups else stage
        groups.extend([*first, *(rest[at : at + size] for at in range(0, len(rest), size))])
    return groups


def _spans(groups: Sequence[Sequence[Look]]) -> list[StageSpan]:
    spans: list[StageSpan] = []
    for weight, of_weight in groupby(groups, key=lambda group: group[0].weight):
        stage = list(of_weight)
        begin = spans[-1].end if spans else stage[0][0].t
        spans.append(StageSpan(begin, stage[-1][-1].t, f"{weight:g} %"))
    return spans


def _share(release: Release, groups: Sequence[Sequence[Look]]) -> Panel:
    asked = tuple(group[-1].weight / 100 for group in groups)
    counted = next((m for m in release.trial.question.metrics if m.kind is not Kind.GAUGE), None)
    measured = []
    for group in groups:
        seen = [_counts(counted, release.trial.accounts[counted.name], look) for look in group] if counted else []
        ours, theirs = sum(each[2] for each in seen), sum(each[0] for each in seen)
        measured.append(ours / (ours + theirs) if ours + theirs else math.nan)
    title = "Share of requests to the candidate"
    return Panel(title, Curve("got", tuple(measured)), None, Curve("asked", asked), percent, 0.05)


def _difference(
    release: Release, metric: Metric, groups: Sequence[Sequence[Look]], looks: Sequence[Look]
) -> Difference:
    sign = -1 if metric.better is Better.HIGHER else 1
    if metric.kind is Kind.GAUGE:
        return _gauge(release, metric, groups, sign)
    trial = release.trial
    account, question = trial.accounts[metric.name], trial.question
    skipped = {id(look) for before, look in pairwise(looks) if before.weight != look.weight}
    none = (0, 0, 0, 0)
    seen = [
        Seen(
            group[-1].t,
            *map(sum, zip(*(none if id(x) in skipped else _counts(metric, account, x) for x in group), strict=True)),
        )
        for group in groups
    ]
    allowed, tolerated = (_margin(line.ratio, line.offset, seen) for line in (account.border, account.tolerated))
    shown = Difference(
        _title(metric, account), Band(measured=bands.measured(seen)), sign * allowed, sign * tolerated, sign
    )
    bar = Bar(
        question.harm_odds / max(question.budget(metric), 1e-9),
        question.safe_odds,
        Bursts(account.shown_bursts, account.bursts.is_known),
        release.recent.get(metric.name, (0.0, 0.0)),
        question.deadline_s - looks[0].t if question.deadline_s is not None and looks else None,
        tolerated,
    )
    low, high = sorted(sign * edge for edge in shown.limits)
    told = seen if sign > 0 or bar.recent[0] else bands.only_learnt(seen)
    band = bands.band(told, bands.spread(2 * low, 2 * high, allowed, tolerated), bar)
    return Difference(shown.title, band, shown.allowed, shown.tolerated, sign)


def _gauge(release: Release, metric: Metric, groups: Sequence[Sequence[Look]], sign: int) -> Difference:
    account, question = release.trial.gauges[metric.name], release.trial.question
    variance = variance_per_look(account.seen, account.long_run, account.seconds)
    best_at = TIGHTEST if question.deadline_s is None else question.deadline_s / max(account.seconds, 1.0)
    each = [[_apart(metric, look, sign) for look in group] for group in groups]
    whole = bands.gauge_band([value for group in each for value in group], variance, question.safe_odds, best_at)
    ends, place = [], -1
    for group in each:
        place += len(group)
        ends.append(place)
    band = Band(*(tuple(values[end] for end in ends) for values in (whole.least, whole.greatest, whole.measured)))
    return Difference(
        f"{metric.name}: candidate minus baseline", band, sign * metric.allowed, sign * metric.tolerated, sign,
        words=_signed,
    )  # fmt: skip


def _signed(value: float) -> str:
    return f"{value:+,.3g}".replace("-", "−")


def _apart(metric: Metric, look: Look, sign: int) -> float:
    baseline, candidate = look.baseline.get(metric.name), look.candidate.get(metric.name)
    if not isinstance(baseline, int | float) or not isinstance(candidate, int | float):
        return math.nan
    return sign * (candidate - baseline)


def _counts(metric: Metric, account: Account, look: Look) -> tuple[int, int, int, int]:
    theirs, ours = (_arm(metric, account, arm.get(metric.name)) for arm in (look.baseline, look.candidate))
    return (*theirs, *ours) if theirs and ours else (0, 0, 0, 0)


def _arm(metric: Metric, account: Account, sample: Sample | None) -> tuple[int, int] | None:
    if sample is None or isinstance(sample, int | float):
        return None
    if not isinstance(sample, Sequence):
        return above(account.edge, sample) if account.edge is not None else None
    requests, counted = sum(pod[0] for pod in sample), sum(pod[1] for pod in sample)
    return requests, bad_of(metric, requests, counted)


def _margin(ratio: float, offset: float, seen: Sequence[Seen]) -> float:
    requests, bad = sum(each.baseline for each in seen), sum(each.baseline_bad for each in seen)
    return (ratio - 1) * (bad / requests if requests else 0.0) + offset


def _title(metric: Metric, account: Account) -> str:
    edge = f" above {milliseconds(account.edge)}" if metric.kind is Kind.LATENCY and account.edge is not None else ""
    return f"{metric.name}{edge}: candidate minus baseline"
