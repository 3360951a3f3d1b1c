"""A picture in words, for those who do not see it."""

import math
from collections.abc import Sequence

from bot.metrics.curves import Panel, cut, looks_in_order, newest_verdicts, outcome
from bot.metrics.differences import Difference
from bot.ports import Card
from strategies.amount import amounts
from strategies.gates.figures import count
from strategies.verdicts import Outcome

LONGEST = 1900  # Slack takes 2,000
LONGEST_LINE = 152  # two lines of the picture


def title(card: Card) -> str:
    """Which service moves from where to where."""
    target = card.release.target
    return f"{target.service}  {target.baseline} → {target.candidate}"


def why(card: Card) -> str:
    """The sentence of the gate that decides the verdict, cut to one line."""
    worst = outcome(card)
    verdicts = newest_verdicts(card)
    decisive = next((verdict for verdict in verdicts if verdict.outcome is worst), None)
    if decisive is None:
        return ""
    return "every gate passes" if worst is Outcome.PASS else clauses(decisive.reason)


def clauses(reason: str) -> str:
    """As many whole clauses as fit."""
    if len(reason) <= LONGEST_LINE:
        return reason
    end = max(reason.rfind(mark, 0, LONGEST_LINE) for mark in ("; ", ". "))
    return reason[:end] if end > 0 else cut(reason, LONGEST_LINE)


def subtitle(card: Card) -> str:
    """Where the release stands, and what the picture spans."""
    parts = [" → ".join(card.release.plan.parts)]
    shares, stage = card.release.plan.stages, card.release.stage
    if 0 <= stage < len(shares):
        parts.append(f"stage {stage + 1} of {len(shares)}")
    looks = looks_in_order(card)
    if looks:
        parts.append(count(len(looks), "look"))
    return " · ".join(parts)


def alt_text(card: Card, panels: Sequence[Panel | Difference]) -> str:
    """The verdict, the newest figures of both versions and why, in less than 2,000 characters."""
    target, shares, stage = card.release.target, amounts(card.release), card.release.stage
    verdict = outcome(card).value.upper()
    sentences = [f"{target.service} {target.baseline} to {target.candidate}: {verdict}."]
    if 0 <= stage < len(shares):
        sentences.append(f"Stage {stage + 1} of {len(shares)} at {shares[stage]}.")
    looks = looks_in_order(card)
    if not looks:
        return " ".join([*sentences, "No look yet."])
    sentences.append(f"{count(len(looks), 'look')} from {looks[0].at:%H:%M} to {looks[-1].at:%H:%M} UTC.")
    sentences.extend(described(panel) for panel in panels)
    verdicts = newest_verdicts(card)
    sentences.extend(f"{verdict.gate} {verdict.outcome.value}: {verdict.reason}" for verdict in verdicts)
    return _within(sentences)


def described(panel: Panel | Difference) -> str:
    """The newest figures of one panel."""
    match panel:
        case Difference():
            return _difference(panel)
        case Panel():
            return _curves(panel)


def _difference(panel: Difference) -> str:
    low, high, measured = panel.newest
    asked = [f"allowed {panel.words(panel.allowed)}"]
    if panel.tolerated is not None:
        asked.append(f"tolerated {panel.words(panel.tolerated)}")
    if math.isnan(measured):
        return f"{panel.title}: no data, {', '.join(asked)}."
    surely = []
    if math.isfinite(low):
        surely.append(f"not below {panel.words(low)}")
    if math.isfinite(high):
        surely.append(f"not above {panel.words(high)}")
    sure = f", surely {' and '.join(surely)}" if surely else ", nothing sure yet"
    return f"{panel.title}: {panel.words(measured)}{sure}; {', '.join(asked)}."


def _curves(panel: Panel) -> str:
    newest = panel.candidate.last
    if newest is None:
        return f"{panel.title}: no data."
    place, value = newest
    figures = [f"{panel.candidate.name} {panel.words(value)}"]
    others = [curve for curve in (panel.baseline, panel.bound) if curve is not None]
    figures.extend(
        f"{curve.name} {panel.words(curve.values[place])}" for curve in others if not math.isnan(curve.values[place])
    )
    return f"{panel.title}: {', '.join(figures)}."


def _within(sentences: Sequence[str]) -> str:
    return cut(" ".join(sentences), LONGEST)
