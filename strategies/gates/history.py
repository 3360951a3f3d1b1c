"""From the minutes before a release to what the judge must know of them."""

from dataclasses import replace

from strategies.gates import aa
from strategies.gates.account import Account
from strategies.gates.chance import Line
from strategies.gates.course import Course, Minutes
from strategies.gates.overdispersion import bursts
from strategies.gates.past import MetricPast

LATELY = 60  # minutes that the present rate is guessed from


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
    return _with_edge(past, course), found


def per_second(minutes: Minutes) -> float:
    """Requests per second over the minutes that were measured; zero without any."""
    measured = [minute for minute in minutes if minute is not None]
    return sum(n for n, _ in measured) / (60 * len(measured)) if measured else 0.0


def _with_edge(past: MetricPast, course: Course) -> MetricPast:
    if course.edge is None:
        return past
    borders = Line(1.0, course.allowed), Line(1.0, course.tolerated)
    return replace(past, edge=course.edge, border=borders[0], tolerated=borders[1])
