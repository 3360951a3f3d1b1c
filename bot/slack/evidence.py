"""A look as words and as a table that a phone can show."""

from collections.abc import Sequence
from datetime import datetime

from bot.ports import Card, Look
from bot.slack.limits import size
from bot.slack.text import clean, code_block, count, escape, figure, fit
from strategies.release import Target
from strategies.routing import HUNDRED, Split, percent
from strategies.verdicts import Outcome, Verdict

MOST_ROWS = 10
MOST_REASONS, MOST_NAMES = 5, 4
LONGEST_WHY = 350  # letters of a reason; five of them fit a section
_HEAD = ("metric", "baseline", "candidate", "limit", "verdict")
_ORDER = {Outcome.FAIL: 0, Outcome.WAIT: 1, Outcome.PASS: 2}
_WORDS = {Outcome.PASS: "PASS", Outcome.WAIT: "WAIT", Outcome.FAIL: "FAIL"}


def latest(card: Card, stage: int) -> Look | None:
    """The last stored look at a stage."""
    looks = [look for look in card.looks if look.stage == stage]
    return max(looks, key=lambda look: look.at, default=None)


def verdicts_of(card: Card, stage: int) -> tuple[Verdict, ...]:
    """What the gates say of a stage: now, or what they said last when it is over."""
    if stage == card.release.stage and card.release.verdicts:
        return card.release.verdicts
    look = latest(card, stage)
    return look.verdicts if look else ()


def tally(verdicts: Sequence[Verdict]) -> str:
    """`PASS 4 of 4`, or the worst that there is."""
    if not verdicts:
        return "no look yet"
    worst = min(verdicts, key=lambda verdict: _ORDER[verdict.outcome]).outcome
    same = sum(verdict.outcome is worst for verdict in verdicts)
    sign = {Outcome.PASS: "🟢", Outcome.WAIT: "🟡", Outcome.FAIL: "🔴"}[worst]
    return f"{sign} {_WORDS[worst]} {same} of {len(verdicts)}"


def table(verdicts: Sequence[Verdict]) -> str:
    """A code table, failing first, at most ten rows and the number of those left out."""
    ordered = sorted(verdicts, key=lambda verdict: _ORDER[verdict.outcome])
    rows = [_HEAD, *(_row(verdict) for verdict in ordered[:MOST_ROWS])]
    widths = [max(size(row[n]) for row in rows) for n in range(len(_HEAD))]
    lines = ["  ".join(_padded(row[n], widths[n], n) for n in range(len(_HEAD))).rstrip() for row in rows]
    left = len(ordered) - MOST_ROWS
    return code_block("\n".join([*lines, *([f"+{left} more"] if left > 0 else [])]), 2_900)


def reasons(verdicts: Sequence[Verdict]) -> str:
    """One line for each reason why a verdict does not pass, and what is missing; gates that share it stand together."""
    gates: dict[tuple[Outcome, str], list[str]] = {}
    for verdict in sorted((v for v in verdicts if v.outcome is not Outcome.PASS), key=lambda v: _ORDER[v.outcome]):
        gates.setdefault((verdict.outcome, _why(verdict)), []).append(escape(verdict.gate[:60]))
    lines = [
        f"{'🔴' if outcome is Outcome.FAIL else '🟡'} *{', '.join(names[:MOST_NAMES])}"
        f"{f' +{len(names) - MOST_NAMES} more' if len(names) > MOST_NAMES else ''}* {why}"
        for (outcome, why), names in gates.items()
    ]
    left = len(lines) - MOST_REASONS
    return "\n".join([*lines[:MOST_REASONS], *([f"+{left} more"] if left > 0 else [])])


def measured(look: Look | None, target: Target) -> str:
    """The candidate's measured share beside the number of requests it was measured on; copies are told apart."""
    candidate = target.candidate
    if look is None:
        return "not measured yet"
    if look.reading.trouble and look.reading.share is None and not look.reading.candidate.requests:
        return f"no data: {escape(look.reading.trouble[:200])}"
    if look.reading.is_mirrored:
        copies, live = look.reading.candidate.requests or 0, look.reading.baseline.requests or 0
        return f"{count(copies)} copies at {escape(candidate)} beside {count(live)} live at {escape(target.baseline)}"
    if look.reading.share is None:
        return f"no {target.counted}s seen"
    requests = (look.reading.baseline.requests or 0) + (look.reading.candidate.requests or 0)
    return f"{escape(candidate)} {figure(look.reading.share, 'ratio')} of {count(requests)} {target.counted}s"


def asked(card: Card, stage: int) -> str:
    """The split that a stage asks for."""
    target = card.release.target
    wanted = card.release.plan.stages[stage].splits[target.service] if stage >= 0 else None
    if wanted is None or (card.release.is_going_back and stage == card.release.stage):
        return f"{escape(target.baseline)} 100 %"
    shares = [f"{escape(version)} {weight.normalize():f} %" for version, weight in wanted.weights.items()]
    return " · ".join([*shares, *([beside(wanted)] if beside(wanted) else [])])


def beside(split: Split) -> str:
    """What a split asks beside its weights: `header:x-beta=1 → v2`, `copies of 10 % → v2`; empty when nothing."""
    matches = [
        f"{fit(str(match), 120)}{'' if match.share == HUNDRED else f' ({percent(match.share)})'} → {escape(match.to)}"
        for match in split.matches[:5]
    ]
    mirror = [f"copies of {percent(split.mirror.percent)} → {escape(split.mirror.to)}"] if split.mirror else []
    return " · ".join([*matches, *mirror, *(["each person kept at their version"] if split.sticky else [])])


def sampled(card: Card, stage: int) -> float:
    """The candidate's requests in the stored looks of a stage."""
    return sum(look.reading.candidate.requests or 0 for look in card.looks if look.stage == stage)


def newest(card: Card) -> datetime | None:
    """When the last stored look was taken."""
    return max((look.at for look in card.looks), default=None)


def _why(verdict: Verdict) -> str:
    """The reason, and what is missing where the reason does not name it; what is too long ends with an ellipsis."""
    is_named = not verdict.missing or verdict.missing.partition(" (")[0] in verdict.reason
    text = verdict.reason if is_named else f"{verdict.reason} ({verdict.missing})"
    return escape(text if len(text) <= LONGEST_WHY else f"{text[: LONGEST_WHY - 1].rstrip()}…")


def _row(verdict: Verdict) -> tuple[str, str, str, str, str]:
    return (
        " ".join(clean(verdict.gate).split())[:24],
        figure(verdict.baseline, verdict.unit) if verdict.baseline is not None else "–",
        figure(verdict.candidate, verdict.unit) if verdict.candidate is not None else "–",
        figure(verdict.bound, verdict.unit) if verdict.bound is not None else "–",
        _WORDS[verdict.outcome],
    )


def _padded(cell: str, width: int, column: int) -> str:
    room = " " * (width - size(cell))
    return cell + room if column in (0, 4) else room + cell
