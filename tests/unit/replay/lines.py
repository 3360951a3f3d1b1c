"""Lines for the replay, and what it answers."""

import json
from collections.abc import Iterable
from typing import Any

from bot.replay.session import Session, written

COUNTS = {"name": "errors", "kind": "counts", "allowed": 0.001, "tolerated": 0.005}
LATENCY = {"name": "latency_p99", "kind": "latency", "quantile": 0.99, "allowed": 0.1, "tolerated": 0.25}
GAUGE = {"name": "revenue", "kind": "gauge", "allowed": 1.0, "tolerated": 5.0, "better": "higher"}
LE = [50, 100, 250, 500, "+Inf"]


def config(release: str = "a", *, metrics: Iterable[dict[str, Any]] = (COUNTS,), **more: object) -> dict[str, Any]:
    """A release's first line."""
    return {"release": release, "config": {"metrics": list(metrics), "deadline_s": 900, **more}}


def look(t: float, baseline: object = (950, 1), candidate: object = (50, 0), **more: object) -> dict[str, Any]:
    """A look; arms are counts of errors, or a whole object of metrics."""
    arms = [arm if isinstance(arm, dict) else {"errors": arm} for arm in (baseline, candidate)]
    return {"release": "a", "t": t, "weight": 5, "baseline": arms[0], "candidate": arms[1], **more}


def times(slow: int, all_: int = 1000) -> dict[str, Any]:
    """A histogram with so many requests above 250 ms."""
    return {"le": LE, "counts": [all_ // 2, all_ * 9 // 10, all_ - slow, all_, all_]}


def fed(session: Session, *lines: object) -> tuple[list[dict[str, Any]], str]:
    """The answers as a reader of stdout gets them, and the trouble."""
    texts = (line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    answers, trouble = session.feed(texts)
    return [json.loads(written(answer)) for answer in answers], trouble


def replayed(*lines: object) -> list[dict[str, Any]]:
    """All answers of a run without trouble."""
    session = Session()
    answers, trouble = fed(session, *lines)
    assert not trouble
    return answers + [json.loads(written(answer)) for answer in session.finish()]
