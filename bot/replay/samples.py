"""What one version did in one look, as a line gives it: counts, a histogram, a gauge's reading."""

import math
from itertools import pairwise

from bot.replay.values import BadLine, items, known, mapping, number, shown, whole
from strategies.gates.question import Kind, Metric
from strategies.gates.trial import Histogram, Pods, Sample


def sample(value: object, metric: Metric, name: str) -> Sample | None:
    """The reading of one metric; None for a lost scrape and for no pods."""
    if value is None or value == []:
        return None
    match metric.kind:
        case Kind.COUNTS:
            return _pods(value, name)
        case Kind.LATENCY:
            return _histograms(value, name)
        case Kind.GAUGE:
            return number(value, name)


def _pods(value: object, name: str) -> Pods:
    pods = items(value, name)
    if isinstance(pods[0], list):
        return [_pair(pod, f"{name}[{place}]") for place, pod in enumerate(pods)]
    return (_pair(pods, name),)


def _pair(value: object, name: str) -> tuple[int, int]:
    pair = items(value, name)
    if len(pair) != 2:
        raise BadLine(f"{name} must be [requests, bad], got {shown(value)}")
    requests, bad = pair
    if type(requests) is not int or type(bad) is not int or not 0 <= bad <= requests <= 10**15:
        requests, bad = whole(requests, f"requests of {name}"), whole(bad, f"bad of {name}")
        if bad > requests:
            raise BadLine(f"{name} has more bad ({bad}) than requests ({requests})")
    return requests, bad


def _histograms(value: object, name: str) -> Histogram:
    if not isinstance(value, list):
        return _histogram(value, name)
    pods = [_histogram(pod, f"{name}[{place}]") for place, pod in enumerate(value)]
    if any(pod.keys() != pods[0].keys() for pod in pods):
        raise BadLine(f"{name} has pods with different le")
    return {edge: sum(pod[edge] for pod in pods) for edge in pods[0]}


def _histogram(value: object, name: str) -> Histogram:
    given = mapping(value, name)
    known(given, ("le", "counts"), name)
    le, counts = items(given.get("le"), f"le of {name}"), items(given.get("counts"), f"counts of {name}")
    if not le or le[-1] != "+Inf":
        raise BadLine(f'le of {name} must end with "+Inf"')
    edges = [number(edge, f"le of {name}", least=0.0) for edge in le[:-1]]
    if any(left >= right for left, right in pairwise(edges)):
        raise BadLine(f"le of {name} must ascend")
    if len(counts) != len(le):
        raise BadLine(f"{name} has {len(counts)} counts for {len(le)} le")
    numbers = [whole(count, f"counts of {name}") for count in counts]
    if any(left > right for left, right in pairwise(numbers)):
        raise BadLine(f"counts of {name} must be cumulative: they never fall")
    return dict(zip([*edges, math.inf], map(float, numbers), strict=True))
