"""What one version did in one look, as a line gives it: counts, a histogram, a gauge's reading."""

import math
from itertools import pairwise

from bot.replay.values import MOST, BadLine, items, known, mapping, number, shown, whole
from strategies.gates.question import Kind, Metric
from strategies.gates.trial import Histogram, Pods, Sample

_INTEGERS, _NUMBERS = frozenset({int}), frozenset({int, float})
MOST_KNOWN = 1_000
# A recording repeats the same few lists of edges at every look: each is checked once.
_KNOWN_EDGES: dict[tuple[object, ...], tuple[float, ...]] = {}


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
    edges = _edges(le, name)
    if len(counts) != len(le):
        raise BadLine(f"{name} has {len(counts)} counts for {len(le)} le")
    if not (_INTEGERS.issuperset(map(type, counts)) and counts[0] >= 0 and counts[-1] <= MOST):
        counts = [whole(count, f"counts of {name}") for count in counts]
    if counts != sorted(counts):
        # Counts that are negative or too large in the middle fall or rise somewhere as well.
        for count in counts:
            whole(count, f"counts of {name}")
        raise BadLine(f"counts of {name} must be cumulative: they never fall")
    return dict(zip(edges, map(float, counts), strict=True))


def _edges(le: list[object], name: str) -> tuple[float, ...]:
    if le and le[-1] == "+Inf" and _NUMBERS.issuperset(map(type, le[:-1])):
        key = tuple(le)
        if key not in _KNOWN_EDGES:
            if len(_KNOWN_EDGES) >= MOST_KNOWN:
                _KNOWN_EDGES.clear()
            _KNOWN_EDGES[key] = _checked_edges(le, name)
        return _KNOWN_EDGES[key]
    return _checked_edges(le, name)


def _checked_edges(le: list[object], name: str) -> tuple[float, ...]:
    if not le or le[-1] != "+Inf":
        raise BadLine(f'le of {name} must end with "+Inf"')
    edges = [number(edge, f"le of {name}", least=0.0) for edge in le[:-1]]
    if any(left >= right for left, right in pairwise(edges)):
        raise BadLine(f"le of {name} must ascend")
    return (*edges, math.inf)
