"""The first line of a release: what is asked, and what the baseline did before."""

from typing import Any

from bot.replay.samples import sample
from bot.replay.values import BadLine, items, known, mapping, number, shown, text, whole
from strategies.gates.question import Kind, Metric, Question
from strategies.gates.trial import Sample
from strategies.plan import Better

_CONFIG = ("metrics", "alpha", "safe_odds", "deadline_s", "min_requests", "history", "promote")
_METRIC = ("name", "kind", "allowed", "tolerated", "ratio", "better", "weight_in_budget", "quantile")
_ALLOWED = {Kind.COUNTS: 0.001, Kind.LATENCY: 0.1, Kind.GAUGE: 0.0}
_TOLERATED = {Kind.COUNTS: 0.005, Kind.LATENCY: 0.25}
_PROMOTE = {"asap": True, "deadline": False}


def question(value: object) -> Question:
    """What is asked of a release; BadLine names the key that is wrong."""
    config = mapping(value, "config")
    known(config, _CONFIG, "config")
    metrics = tuple(
        _metric(mapping(given, f"metrics[{place}]"), f"metrics[{place}]")
        for place, given in enumerate(items(config.get("metrics"), "metrics"))
    )
    names = [metric.name for metric in metrics]
    if not metrics or len(set(names)) != len(names):
        raise BadLine("metrics must be named, each once, and at least one")
    counted = [metric for metric in metrics if metric.kind is not Kind.GAUGE]
    if counted and not sum(metric.weight for metric in counted) > 0:
        raise BadLine("weight_in_budget must be above 0 for at least one metric")
    deadline = config.get("deadline_s")
    promote = config.get("promote", "deadline")
    if not isinstance(promote, str) or promote not in _PROMOTE:
        raise BadLine(f'promote must be "asap" or "deadline", got {shown(promote)}')
    return Question(
        metrics,
        number(config.get("alpha", 0.01), "alpha", least=1e-9, most=0.5),
        number(config.get("safe_odds", 20), "safe_odds", least=1.0),
        None if deadline is None else number(deadline, "deadline_s", least=0.0),
        whole(config.get("min_requests", 0), "min_requests"),
        _PROMOTE[promote],
    )


def history(value: object, asked: Question) -> dict[str, list[Sample]]:
    """The baseline's windows of 60 s by metric; windows that were not read are left out."""
    given = mapping({} if value is None else value, "history")
    known(given, tuple(metric.name for metric in asked.metrics), "history")
    read: dict[str, list[Sample]] = {}
    for metric in asked.metrics:
        windows = items([] if given.get(metric.name) is None else given[metric.name], f"history of {metric.name}")
        samples = (sample(window, metric, f"history of {metric.name}") for window in windows)
        read[metric.name] = [window for window in samples if window is not None]
    return read


def _metric(given: dict[str, Any], where: str) -> Metric:
    known(given, _METRIC, where)
    name = text(given.get("name"), f"name of {where}")
    kind = _kind(given.get("kind"), name)
    better = _better(given.get("better", "lower"), name)
    if kind is not Kind.LATENCY and "quantile" in given:
        raise BadLine(f"quantile of {name!r} belongs to latency, not to {kind}")
    if kind is Kind.LATENCY and better is Better.HIGHER:
        raise BadLine(f"better of {name!r} must be lower: it is a latency")
    ratio = number(given.get("ratio", 1.0), f"ratio of {name!r}", least=1e-6, most=1e6)
    if kind is not Kind.COUNTS and ratio != 1.0:
        raise BadLine(f"ratio of {name!r} belongs to counts, not to {kind}")
    allowed, tolerated = _margins(given, kind, name)
    weight = number(given.get("weight_in_budget", 1.0), f"weight_in_budget of {name!r}", least=0.0)
    quantile = number(given.get("quantile", 0.99), f"quantile of {name!r}", least=0.001, most=0.9999)
    return Metric(name, kind, allowed, tolerated, ratio, better, weight, quantile)


def _margins(given: dict[str, Any], kind: Kind, name: str) -> tuple[float, float]:
    most = 1.0 if kind is Kind.COUNTS else 1e12
    allowed = number(given.get("allowed", _ALLOWED[kind]), f"allowed of {name!r}", least=0.0, most=most)
    usual = max(_TOLERATED[kind], allowed) if kind in _TOLERATED else None
    tolerated = number(given.get("tolerated", usual), f"tolerated of {name!r}", least=0.0, most=most)
    if tolerated < allowed:
        raise BadLine(f"tolerated of {name!r} ({tolerated:g}) must not be less than allowed ({allowed:g})")
    return allowed, tolerated


def _kind(value: object, name: str) -> Kind:
    if not isinstance(value, str) or value not in set(Kind):
        raise BadLine(f"kind of {name!r} must be one of {', '.join(Kind)}, got {shown(value)}")
    return Kind(value)


def _better(value: object, name: str) -> Better:
    if not isinstance(value, str) or value not in set(Better):
        raise BadLine(f"better of {name!r} must be one of {', '.join(Better)}, got {shown(value)}")
    return Better(value)
