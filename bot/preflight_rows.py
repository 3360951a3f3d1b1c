"""A preflight as rows of words and as plain values, for every surface that shows one."""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from bot.preflight import Asked, Found
from strategies.gates.figures import count, span
from strategies.routing import percent as share_of

if TYPE_CHECKING:
    from strategies.gates.checkup import Report
    from strategies.gates.past import LevelPast
    from strategies.gates.preflight import Need

GATE_COLUMNS = ("Gate", "Now", "Bursts", "One pod against the rest", "Today against yesterday", "Before the start")
STAGE_COLUMNS = ("Stage", "Share", "Requests an hour", "Needs", "Takes about", "Has")
NOTHING = "–"


def gate_rows(found: Found) -> Sequence[tuple[str, ...]]:
    """One row per gate: what it reads, how errors burst, how often a healthy service would have been rolled back."""
    return [_gate_row(report) for report in found.reports]


def stage_rows(asked: Asked, found: Found) -> Sequence[tuple[str, ...]]:
    """One row per stage: its traffic, what its gates need, how long that takes and what time it has."""
    return [_stage_row(n, need) for n, need in enumerate(found.needs, 1)]


def traffic(found: Found) -> str:
    """`about 3,600 requests an hour, 1,440 minutes read`."""
    return f"about {count(found.past.per_second * 3600, 'request')} an hour, {count(found.past.minutes, 'minute')} read"


def document(asked: Asked, found: Found) -> dict[str, object]:
    """Everything as plain values; no number is infinite."""
    target = asked.target
    return {
        "service": target.service,
        "host": target.host,
        "namespace": target.namespace,
        "baseline": target.baseline,
        "candidate": target.candidate,
        "strategy": asked.plan.strategy,
        "requests_per_hour": round(found.past.per_second * 3600, 1),
        "minutes": found.past.minutes,
        "gates": [_gate(report) for report in found.reports],
        "stages": [_stage(asked, n, need) for n, need in enumerate(found.needs)],
        "warnings": list(found.warnings),
        "advice": found.advice,
    }


def _gate_row(report: "Report") -> tuple[str, ...]:
    past, name = report.past, report.gate.metric
    if report.level is not None:
        replayed = f"{len(report.alarms)} of {report.replays} rolled back" if report.replays else "too little"
        return name, report.now, NOTHING, replayed, NOTHING, _trusted(report, report.level)
    if past is None:
        return name, NOTHING, NOTHING, NOTHING, NOTHING, "cannot be asked"
    known = "" if past.bursts.is_known else "?"
    bursts = f"x{past.bursts.factor:.1f}{known}"
    replayed = f"{len(report.alarms)} of {report.replays} rolled back" if report.replays else "no two pods"
    days = f"{len(report.days)} of {report.hours} hours worse" if report.hours else "no day before"
    return report.gate.metric, report.now, bursts, replayed, days, _standing(report)


def _standing(report: "Report") -> str:
    if report.fails_now:
        return "fails already"
    if not report.has_passed:
        return "takes noise for harm"
    return "ready" if report.replays else "ready, not replayed"


def _trusted(report: "Report", level: "LevelPast") -> str:
    if report.fails_now:
        return "fails already"
    return "ready" if level.has_passed else "ready, holds only"


def _stage_row(n: int, need: "Need") -> tuple[str, ...]:
    takes = "unknown" if need.requests is None else "never" if math.isinf(need.seconds) else span(need.seconds)
    if need.per_hour is None or not need.requests:
        takes = NOTHING if need.requests == 0 else "unknown"  # a group sends what it sends
    needs = "unknown" if need.requests is None else f"{need.requests:,} for {need.gate}"
    late = "" if need.fits else " (too short)"
    rate = "unknown" if need.per_hour is None else f"{need.per_hour:,.0f}"
    return str(n), _whose(need), rate, needs, takes, f"{span(need.has_seconds)}{late}"


def _whose(need: "Need") -> str:
    """`5 %`, `copies 10 %`, `group`, or `–` where nobody's requests are counted."""
    share = share_of(Decimal(str(round(need.share * 100, 2))))
    return {"share": share, "copies": f"copies {share}", "group": "group"}.get(need.of, NOTHING)


def _gate(report: "Report") -> dict[str, object]:
    past = report.past
    told: dict[str, object] = {
        "metric": report.gate.metric,
        "missing": report.missing,
        "fails_now": report.fails_now,
        "passes": report.has_passed,
        "now": report.now,
    }
    if report.level is not None:
        return told | {
            "replays": report.replays,
            "rolled_back": [{"pod": name, "hour": hour} for name, hour in report.alarms],
            "may_roll_back": report.level.has_passed,
            "mean": report.level.mean,
        }
    if past is None:
        return told
    return told | {
        "requests": past.requests,
        "bad": past.bad,
        "bursts": round(past.bursts.factor, 3),
        "bursts_known": past.bursts.is_known,
        "raised": round(past.raised, 3),
        "edge_ms": past.edge,
        "pods_differ_by": past.spread,
        "replays": report.replays,
        "rolled_back": [{"pod": name, "hour": hour} for name, hour in report.alarms],
        "hours_against_yesterday": report.hours,
        "worse_hours": [hour for _, hour in report.days],
    }


def _stage(asked: Asked, n: int, need: "Need") -> dict[str, object]:
    return {
        "n": n + 1,
        "share": float(asked.plan.shares(asked.target.service, asked.target.candidate)[n]),
        "of": str(need.of),
        "copies": round(need.share * 100, 2) if need.of == "copies" else None,
        "requests_per_hour": None if need.per_hour is None else round(need.per_hour, 1),
        "needs_requests": need.requests,
        "for": need.gate,
        "takes_seconds": None if math.isinf(need.seconds) else round(need.seconds),
        "has_seconds": need.has_seconds,
        "fits": need.fits,
    }
