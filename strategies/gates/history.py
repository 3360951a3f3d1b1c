"""From the minutes before a release to what the judge must know of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from strategies.gates import aa
from strategies.gates.aa import Minutes
from strategies.gates.account import Account
from strategies.gates.chance import Line
from strategies.gates.exceedance import Exceedance
from strategies.gates.overdispersion import bursts
from strategies.gates.past import MetricPast

LATELY = 60  # minutes that the present rate is guessed from


@dataclass(frozen=True, slots=True)
class Course:
    """What a version did on one metric, minute by minute: altogether as the judge reads it, and by pod.

    `edge` is the latency's question, None for errors.
    """

    minutes: Minutes = ()
    pods: Mapping[str, Minutes] = field(default_factory=dict)
    edge: Exceedance | None = None


def learnt(course: Course, border: Line) -> tuple[MetricPast, aa.Findings]:
    """What the judge needs of the past, with its bursts calibrated by an A/A replay, and what the replay found."""
    windows = [minute for minute in course.minutes if minute is not None]
    measured = bursts(windows)
    pods = dict(course.pods)
    calibrated, found = aa.calibrated(aa.one_against_the_rest(pods), border, measured)
    account = Account(border, border)
    for requests, bad in windows[-LATELY:]:
        account.learn(requests, bad)
    past = MetricPast(
        requests=sum(n for n, _ in windows),
        bad=sum(x for _, x in windows),
        recent=(account.requests, account.bad),
        bursts=calibrated,
        spread=aa.spread(pods, measured.factor),
        replays=found.replays,
        false_alarms=len(found.alarms),
        raised=found.raised,
    )
    return _with_edge(past, course.edge), found


def per_second(minutes: Sequence[tuple[int, int] | None]) -> float:
    """Requests per second over the minutes that were measured; zero without any."""
    measured = [minute for minute in minutes if minute is not None]
    return sum(n for n, _ in measured) / (60 * len(measured)) if measured else 0.0


def _with_edge(past: MetricPast, edge: Exceedance | None) -> MetricPast:
    if edge is None:
        return past
    return replace(past, edge=edge.edge, border=Line(1.0, edge.allowed), tolerated=Line(1.0, edge.tolerated))
