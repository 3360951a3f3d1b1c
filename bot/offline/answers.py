"""A plan over files as plain values for JSON; the keys are a contract."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from bot import durations
from bot.offline.planning import FilePlan
from strategies.plan import ApprovalGate, Gate, MetricGate, SmokeGate, Stage
from strategies.reasons import Refused
from strategies.routing import HUNDRED, Match, Mirror, Split


def planned(plan: FilePlan, start: datetime, advice: str) -> dict[str, object]:
    """The plan with every stage's split, hold, gates, end, whole objects and diff."""
    stages = [
        {
            "n": n,
            **({"part": str(each.stage.part)} if each.stage.part is not None else {}),
            "split": split(each.split),
            "hold": durations.written(each.stage.hold),
            "gates": [gate(one) for one in each.stage.gates],
            "ends": end.isoformat(timespec="seconds"),
            "objects": list(each.objects),
            "diff": each.diff,
        }
        for n, (each, end) in enumerate(zip(plan.stages, ends(plan.plan.stages, start), strict=True), 1)
    ]
    return {"stages": stages, "rollback": {"objects": list(plan.rollback)}, "refused": None, "advice": advice}


def refused(refusal: Refused) -> dict[str, object]:
    """No stage, and why."""
    return {"stages": [], "refused": {"reason_code": refusal.reason_code, "text": refusal.text}}


def ends(stages: Sequence[Stage], start: datetime) -> list[datetime]:
    """When each stage ends if nothing but its hold keeps it."""
    found = []
    for stage in stages:
        start += stage.hold
        found.append(start)
    return found


def split(value: Split) -> dict[str, object]:
    """Weights by version, matches, and the mirror or null; `sticky` where a cookie keeps people."""
    found: dict[str, object] = {
        "weights": {version: _number(weight) for version, weight in value.weights.items()},
        "matches": [_match(match) for match in value.matches],
        "mirror": _mirror(value.mirror),
    }
    return found | ({"sticky": "cookie"} if value.sticky else {})


def gate(value: Gate) -> dict[str, object]:
    """The question that is asked at the stage's end."""
    match value:
        case SmokeGate(url):
            return {"smoke": url}
        case ApprovalGate():
            return {"approval": value.quorum}
        case MetricGate():
            allowed = value.allowed and {"worse_by": value.allowed.value, "relative": value.allowed.relative}
            return {"metric": value.metric, "unit": value.unit, "allowed": allowed, "limit": value.limit}


def _match(match: Match) -> dict[str, object]:
    what = {match.part: match.name} if match.name else {"on": match.part}
    operators = {"exact": match.exact, "prefix": match.prefix, "regex": match.regex}
    how = {name: value for name, value in operators.items() if value is not None}
    share = {"percent": _number(match.share)} if match.share != HUNDRED else {}
    return {**what, **how, "to": match.to, **share}


def _mirror(mirror: Mirror | None) -> dict[str, object] | None:
    return {"to": mirror.to, "percent": _number(mirror.percent)} if mirror is not None else None


def _number(value: Decimal) -> int | float:
    return int(value) if value == int(value) else float(value)
