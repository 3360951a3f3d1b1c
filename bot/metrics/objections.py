"""What Prometheus has against the queries of a profile: asked before a release, while nothing depends on them."""

import difflib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bot import templates
from bot.metrics import queries
from bot.metrics.connection import Connection, RefusedError
from bot.metrics.snapshots import Result
from bot.ports import Objection
from strategies.plan import Kind, MetricGate
from strategies.release import Target

MOST_SERIES = 200  # of one version
NEAR = 0.8  # alike enough to be a slip of the pen


def found(
    connection: Connection, target: Target, gates: Sequence[MetricGate], look: timedelta, at: datetime
) -> list[Objection]:
    """All objections, in the order of the gates; raises UnansweredError when Prometheus does not answer."""
    told: list[Objection] = []
    values = templates.values(target.service, target.baseline, target.namespace, look)
    for gate in gates:
        for role, text in (("query", gate.query), ("per", gate.per)):
            if text is None:
                continue
            field = f"metrics.{gate.metric}.{role}"
            try:
                series = connection.ask(queries.labelled([templates.filled(text, values)]), at)
            except RefusedError as error:
                told.append(Objection(f"{field}: Prometheus does not take it: {error.reason}.", is_final=True))
                continue
            told.extend([*_against(series, gate, field, target.baseline), *_twins(series, field)])
            if not series:
                told.append(_empty(connection, text, field, target.baseline))
    return told


def _against(series: Sequence[Result], gate: MetricGate, field: str, version: str) -> Iterator[Objection]:
    if gate.measured is Kind.GAUGE and len(series) > 1:
        text = f"{field}: gives {len(series)} series for {version}; wrap it in sum(…) or avg(…)."
        yield Objection(text, is_final=True)
    elif len(series) > MOST_SERIES:
        many = f"{field}: gives {len(series):,} series for {version}"
        text = f"{many}; at most {MOST_SERIES} are allowed, name more labels."
        yield Objection(text, is_final=True)


def _twins(series: Sequence[Result], field: str) -> Iterator[Objection]:
    """Pods that several jobs scrape: whatever is counted or added up would be so twice."""
    jobs: dict[frozenset[tuple[str, str]], set[str]] = {}
    for result in series:
        labels = {name: value for name, value in result["metric"].items() if name not in ("job", "instance")}
        if labels.get("pod"):
            jobs.setdefault(frozenset(labels.items()), set()).add(result["metric"].get("job", ""))
    twice = next((sorted(each) for each in jobs.values() if len(each) > 1), None)
    if twice:
        text = f'{field}: gives pods once for each of the jobs {" and ".join(twice)}; name one, like job="{twice[0]}".'
        yield Objection(text, is_final=True)


def _empty(connection: Connection, text: str, field: str, version: str) -> Objection:
    known = connection.metrics()
    for name in templates.metrics(text):
        if name in known:
            continue
        near = difflib.get_close_matches(name, known, 1, NEAR)
        if near:
            return Objection(f"{field}: Prometheus has no metric {name}; did you mean {near[0]}?", is_final=True)
        return Objection(f"{field}: Prometheus has no metric {name} yet; its gate waits until it has.", is_final=False)
    return Objection(f"{field}: gives no series for {version} now; its gate waits until it does.", is_final=False)
