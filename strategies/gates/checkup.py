"""The gates over a time in which nothing was released: what they could not read, and what they took for harm."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from strategies.gates import aa, level_history
from strategies.gates.aa import Replays
from strategies.gates.chance import LOOK, Counts, Line, is_surely_above, is_surely_worse
from strategies.gates.course import YOUNG, Course, Level, Recorded
from strategies.gates.figures import count, level, milliseconds, percent, points
from strategies.gates.history import learnt, per_second
from strategies.gates.memory import ENOUGH
from strategies.gates.overdispersion import ENOUGH as ENOUGH_BAD
from strategies.gates.past import FALSE, LevelPast, MetricPast, Past
from strategies.gates.rate import border
from strategies.gates.thresholds import QUANTILES, RUNNING
from strategies.plan import Better, Kind, MetricGate

DAY = 1440  # minutes
NOW = 10  # minutes that "now" means
LATELY = 60
SPREADS = 3.0  # that `allowed` must be above the pods' constant differences
BURSTY = 1.5

Alarm = tuple[str, int]
"""Who would have been rolled back, and in which hour since the start of what was read."""


@dataclass(frozen=True, slots=True)
class Report:
    """One gate: what it reads now, and what it would have done to a healthy service.

    `missing` says why it cannot be asked; everything else is empty then. `alarms` are the releases of one pod against
    the rest that it would have rolled back, `days` the hours of today that would not have passed against the same hours
    of yesterday.
    """

    gate: MetricGate
    missing: str = ""
    now: str = ""
    past: MetricPast | None = None
    level: LevelPast | None = None
    replays: int = 0
    alarms: tuple[Alarm, ...] = ()
    hours: int = 0
    days: tuple[Alarm, ...] = ()
    fails_now: str = ""

    @property
    def is_weighed(self) -> bool:
        """True for a gate that adds up evidence."""
        return self.gate.tolerated is not None

    @property
    def has_passed(self) -> bool:
        """True when it would have left a healthy service alone, as far as that could be tried."""
        return not self.missing and not self.fails_now and len(self.alarms) <= FALSE * max(self.replays, 1)


def examined(recorded: Recorded, gates: Sequence[MetricGate]) -> tuple[tuple[Report, ...], Past]:
    """A report per gate in order, and what a release keeps of the last day."""
    reports = tuple(_report(gate, recorded) for gate in gates)
    metrics = {report.gate.metric: report.past for report in reports if report.past is not None}
    levels = {report.gate.metric: report.level for report in reports if report.level is not None}
    whole = next((course for course in recorded.courses.values() if course.is_known), Course())
    rate = per_second(whole.minutes[-LATELY:]) or per_second(whole.minutes)
    minutes = sum(minute is not None for minute in whole.minutes)
    return reports, Past(rate, minutes, metrics, recorded.trouble, recorded.nameless, levels)


def warnings(reports: Sequence[Report]) -> tuple[str, ...]:
    """One sentence for each thing that a releaser should know before the start, the gravest first."""
    missing = [f"{report.gate.metric}: {report.missing}" for report in reports if report.missing]
    if missing and all(YOUNG in sentence for sentence in missing):
        missing = []  # nothing is wrong with what is only new
    failing = [f"{report.gate.metric}: {report.fails_now}" for report in reports if report.fails_now]
    alarming = [_alarming(report) for report in reports if report.alarms and not report.has_passed]
    rest = [sentence for report in reports if report.past for sentence in _doubts(report, report.past)]
    return (*missing, *failing, *alarming, *rest)


def _report(gate: MetricGate, recorded: Recorded) -> Report:
    if gate.measured is Kind.GAUGE:
        return _level_report(gate, recorded)
    course = recorded.courses.get(gate.metric, Course())
    if not course.is_known:
        why = recorded.missing.get(gate.metric) or recorded.trouble or "it cannot be read before a release."
        return Report(gate, missing=why)
    today = course.between(-DAY)
    line = _line(gate, today)
    past, found = learnt(today, line)
    pods = aa.one_against_the_rest(dict(today.pods))
    yesterday = course.between(-2 * DAY, -DAY) if len(course.minutes) >= 2 * DAY else Course()
    days = aa.one_after_the_other("today", yesterday.minutes, today.minutes)
    if gate.tolerated is None:
        alarms, worse = _over_the_bound(gate, pods, line), _over_the_bound(gate, days, line)
    else:
        alarms = found.alarms
        worse = tuple(days.names[place] for place in aa.alarms(days, line, past.bursts).nonzero()[0]) if days else ()
    return Report(
        gate, now=_now(gate, course), past=past, replays=len(pods), alarms=alarms, hours=len(days), days=worse,
        fails_now=_beyond_limit(gate, course),
    )  # fmt: skip


def _level_report(gate: MetricGate, recorded: Recorded) -> Report:
    read = recorded.levels.get(gate.metric, Level())
    if not read.known:
        return Report(gate, missing=recorded.missing.get(gate.metric) or "Prometheus has no series of it.")
    past, alarms = level_history.learnt(gate, read)
    lately = [reading for reading in read.whole[-NOW:] if reading is not None]
    now = level(fmean(lately), gate.unit) if lately else f"no reading in {NOW} min"
    return Report(gate, now=now, level=past, replays=past.replays, alarms=alarms, fails_now=_level_beyond(gate, lately))


def _level_beyond(gate: MetricGate, lately: Sequence[float]) -> str:
    if gate.limit is None or not lately:
        return ""
    value, is_lower = fmean(lately), gate.better is Better.LOWER
    if value <= gate.limit if is_lower else value >= gate.limit:
        return ""
    side = "above" if is_lower else "below"
    return f"the baseline itself is at {level(value, gate.unit)}, {side} the limit of {level(gate.limit, gate.unit)}."


def _line(gate: MetricGate, course: Course) -> Line:
    if course.edge is not None:
        return Line(1.0, course.allowed)
    margin = gate.allowed or gate.tolerated
    return border(margin, gate.better) if margin else Line(1.0, gate.limit or 0.0)


def _over_the_bound(gate: MetricGate, replays: Replays, line: Line) -> tuple[Alarm, ...]:
    """Which replays fail `RUNNING` pools running, as a gate without `tolerated` decides."""
    rows = zip(
        replays.names,
        *(part.tolist() for part in (replays.baseline, replays.baseline_bad, replays.candidate, replays.candidate_bad)),
        strict=True,
    )
    return tuple(name for name, *row in rows if _fails(gate, row, line))


def _fails(gate: MetricGate, row: Sequence[Sequence[float]], line: Line) -> bool:
    is_timed = gate.measured is Kind.LATENCY
    enough = max(ENOUGH, round(1 / (1 - QUANTILES[gate.metric]))) if is_timed else ENOUGH
    theirs, ours, streak = Counts(), Counts(), 0
    for n0, x0, n1, x1 in zip(*row, strict=True):
        theirs, ours = theirs.plus(Counts(int(n0), int(x0))), ours.plus(Counts(int(n1), int(x1)))
        if ours.requests < enough:
            continue
        beyond = gate.allowed is not None and theirs.requests >= ENOUGH and is_surely_worse(ours, theirs, line, LOOK)
        if gate.limit is not None and not is_timed and gate.better is Better.LOWER:
            beyond = beyond or is_surely_above(ours, gate.limit, LOOK)
        streak = streak + 1 if beyond else 0
        if streak >= RUNNING:
            return True
        theirs, ours = Counts(), Counts()
    return False


def _lately(course: Course) -> Counts:
    minutes = [minute for minute in course.minutes[-NOW:] if minute]
    return Counts(sum(n for n, _ in minutes), sum(x for _, x in minutes))


def _now(gate: MetricGate, course: Course) -> str:
    counts = _lately(course)
    if not counts.requests:
        return f"no request in {NOW} min"
    if gate.measured is not Kind.LATENCY:
        rate = counts.rate if gate.better is Better.LOWER else 1 - counts.rate
        return f"{percent(rate)} of {count(counts.requests, 'request')}"
    usual = f"{milliseconds(course.usual)}, " if course.usual is not None else ""
    return f"{usual}{percent(counts.rate)} above {milliseconds(course.edge or 0.0)}"


def _beyond_limit(gate: MetricGate, course: Course) -> str:
    if gate.limit is None:
        return ""
    counts = _lately(course)
    if gate.measured is not Kind.LATENCY:
        if gate.better is Better.HIGHER:
            return ""
        if counts.requests >= ENOUGH and is_surely_above(counts, gate.limit, LOOK):
            return f"the baseline itself is at {percent(counts.rate)}, above the limit of {percent(gate.limit)}."
        return ""
    if course.usual is not None and course.usual > gate.limit:
        return f"the baseline itself is at {milliseconds(course.usual)}, above the limit of {milliseconds(gate.limit)}."
    return ""


def _alarming(report: Report) -> str:
    if report.level is not None:
        return (
            f"{report.gate.metric}: against itself it would have rolled back {len(report.alarms)} of "
            f"{count(report.replays, 'healthy stage')}, so it holds a release and rolls none back."
        )
    worst = max({name for name, _ in report.alarms}, key=lambda name: sum(name == each for each, _ in report.alarms))
    times = sum(name == worst for name, _ in report.alarms)
    return (
        f"{report.gate.metric}: of {count(report.replays, 'release')} of one healthy pod against the rest "
        f"{len(report.alarms)} would have been rolled back, {times} of them {worst}."
    )


def _doubts(report: Report, past: MetricPast) -> Sequence[str]:
    name, told = report.gate.metric, []
    allowed = report.past.border.offset if report.past and report.past.border else _allowed(report.gate)
    if past.spread and allowed < SPREADS * past.spread:
        told.append(
            f"{name}: the baseline's pods differ by {points(past.spread)[1:]} as they are, and allowed "
            f"{points(allowed)} is less than 3 times that: a good pod can look like harm."
        )
    if report.days:
        hours = f"{len(report.days)} of {count(report.hours, 'hour')}"
        told.append(f"{name}: in {hours} today was worse than yesterday by more than is allowed.")
    if report.is_weighed and not past.bursts.is_known:
        told.append(
            f"{name}: the past held {count(past.bad, 'bad request')}, fewer than the {ENOUGH_BAD} that tell how they "
            "burst: harm must show in 5 looks."
        )
    if report.is_weighed and past.bursts.factor >= BURSTY:
        raised = f", raised x{past.raised:.1f} by the A/A replay" if past.raised > 1 else ""
        told.append(f"{name}: bad requests come in bursts (x{past.bursts.factor:.1f}{raised}), so the bar is higher.")
    return told


def _allowed(gate: MetricGate) -> float:
    margin = gate.allowed or gate.tolerated
    return abs(margin.value) if margin and not margin.relative else float("inf")
