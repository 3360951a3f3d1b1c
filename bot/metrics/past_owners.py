"""The minutes before a release of an owner's own queries, of calls to others, and of what the pods use."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from bot import templates
from bot.metrics import minutes, queries
from bot.metrics.minutes import Values
from bot.metrics.resources import CPU, pods_of
from bot.metrics.snapshots import Result
from strategies.gates.course import MINUTE, Course, Level, Minutes
from strategies.plan import Better, MetricGate
from strategies.release import Target

Ask = Callable[[str], Sequence[Result]]
"""The values of a query at each minute."""


def own_level(ask: Ask, gate: MetricGate, target: Target, since: datetime, length: int) -> tuple[Level, str]:
    """The readings of a gauge for the baseline, and why there are none."""
    results = ask(_text(gate.query or "", target))
    if len(results) != 1:
        many = f"gives {len(results)} series; wrap it in sum(…) or avg(…)" if results else "gives no series"
        return Level(), f"its query {many} for {target.baseline}."
    values = by_pod(results, since).popitem()[1]
    return Level([values.get(place) for place in range(1, length + 1)]), ""


def own_counts(
    ask: Ask, gate: MetricGate, target: Target, since: datetime, requests: Minutes, answered: Callable[[], Values]
) -> tuple[Course, str]:
    """Bad ones out of what they are counted out of: `per` by pod, or the requests that the version answered.

    Where the pods of the events are those that answer requests (`answered`, asked only then), each has its own;
    otherwise they are out of the service's `requests` altogether.
    """
    events, length = by_pod(ask(_text(gate.query or "", target)), since), len(requests)
    if not events:
        return Course(), f"its query gives no series for {target.baseline}."
    if gate.per is not None:
        every = by_pod(ask(_text(gate.per, target)), since)
        if not every:
            return Course(), f"its per gives no series for {target.baseline}."
        return _by_pods(gate, every, events, length), ""
    if (every := answered()) and events.keys() <= every.keys():
        return _by_pods(gate, every, events, length), ""
    happened = minutes.together(minutes.by_instance(events, {}, length), length)
    paired = [
        (n[0], min(x[0], n[0])) if n is not None and x is not None else None
        for n, x in zip(requests, happened, strict=True)
    ]
    return Course(_turned(gate, paired)), ""


def calls(ask: Ask, place: tuple[str, str], since: datetime, length: int) -> tuple[Course, str]:
    """What a Deployment (namespace, name) asked of others and what of it failed, by pod."""
    every = by_one_instance(ask(queries.called(place)), since) if place[1] else {}
    if not every:
        return Course(), f"Prometheus knows of no calls that {place[1] or 'the baseline'} makes to others."
    bad = by_one_instance(ask(queries.calls_failed(place)), since)
    pods = minutes.by_instance(every, bad, length)
    return Course(minutes.together(pods, length), pods), ""


def used(ask: Ask, metric: str, place: tuple[str, str], since: datetime, length: int) -> tuple[Level, str]:
    """Cores or bytes of each pod of a Deployment (namespace, name)."""
    results = [each for each in ask(queries.resources([place])) if each["metric"].get(queries.PART) == metric]
    names = pods_of(place[1], {str(each["metric"].get("pod", "")) for each in results})
    found: dict[str, list[float | None]] = {}
    for name in names:
        containers = [_values(each, since) for each in results if each["metric"].get("pod") == name]
        found[name] = [_reading(metric, containers, at) for at in range(1, length + 1)]
    if not found:
        return Level(), f"Prometheus has no {queries.CPU if metric == CPU else queries.MEMORY} of {place[1]}."
    whole = [_mean([each for each in row if each is not None]) for row in zip(*found.values(), strict=True)]
    return Level(whole, found), ""


def by_pod(results: Sequence[Result], since: datetime) -> Values:
    """Counter values by pod, or by instance where series have no pod."""
    found: Values = {}
    for result in results:
        labels = result["metric"]
        here = found.setdefault(str(labels.get("pod") or labels.get("instance") or ""), {})
        for at, value in _values(result, since).items():
            here[at] = here.get(at, 0.0) + value
    return found


def by_one_instance(results: Sequence[Result], since: datetime) -> Values:
    """The same of proxies' own counters: two jobs that scrape a pod tell the same, so that one of them is taken."""
    twins: dict[str, dict[tuple[str, str], list[Result]]] = {}
    for result in results:
        labels = result["metric"]
        instance = str(labels.get("instance") or "")
        of_pod = twins.setdefault(str(labels.get("pod") or instance), {})
        of_pod.setdefault((str(labels.get("job") or ""), instance), []).append(result)
    chosen = {pod: _added([_values(each, since) for each in of_pod[min(of_pod)]]) for pod, of_pod in twins.items()}
    return {pod: values for pod, values in chosen.items() if values}


def _by_pods(gate: MetricGate, every: Values, events: Values, length: int) -> Course:
    pods = {name: _turned(gate, each) for name, each in minutes.by_instance(every, events, length).items()}
    return Course(minutes.together(pods, length), pods)


def _added(counters: Sequence[Mapping[int, float]]) -> dict[int, float]:
    places = sorted({place for counter in counters for place in counter})
    return {place: math.fsum(counter.get(place, 0.0) for counter in counters) for place in places}


def _values(result: Result, since: datetime) -> dict[int, float]:
    start, step = since.timestamp(), MINUTE.total_seconds()
    read = ((round((float(at) - start) / step), float(text)) for at, text in result["values"])
    return {at: value for at, value in read if math.isfinite(value)}


def _text(template: str, target: Target) -> str:
    values = templates.values(target.service, target.baseline, target.namespace, MINUTE)
    return templates.filled(template, values)


def _turned(gate: MetricGate, counted: Minutes) -> Minutes:
    if gate.better is Better.LOWER:
        return counted
    return [(each[0], each[0] - each[1]) if each is not None else None for each in counted]


def _reading(metric: str, containers: Sequence[Mapping[int, float]], at: int) -> float | None:
    if metric != CPU:
        known = [each[at] for each in containers if at in each]
        return math.fsum(known) if known else None
    grown = [each[at] - each[at - 1] for each in containers if at in each and at - 1 in each]
    # A counter that fell began anew; what it lost is not known.
    return math.fsum(grown) / MINUTE.total_seconds() if grown and min(grown) >= 0 else None


def _mean(row: Sequence[float]) -> float | None:
    return math.fsum(row) / len(row) if row else None
