"""What a picture shows, wherever its looks come from: a card of the running bot, or a recording."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.metrics import curves
from bot.metrics.curves import Panel, StageSpan
from bot.metrics.density import thinned
from bot.metrics.descriptions import alt_text, subtitle, title, why
from bot.metrics.differences import Difference, differences
from bot.ports import Card
from strategies.verdicts import Outcome

MOST_PANELS = 5


@dataclass(frozen=True, slots=True)
class Scene:
    """Words on top, then panels over one axis of time in seconds; `start` is the clock's time at 0, None for none.

    `badge` is the word in the corner where it is not the outcome's own.
    """

    title: str
    subtitle: str
    why: str
    outcome: Outcome
    times: Sequence[float]
    spans: Sequence[StageSpan]
    panels: Sequence[Panel | Difference]
    start: datetime | None
    alt_text: str
    badge: str = ""


def of_card(card: Card) -> Scene:
    """The share of requests, then each gate of the present stage, the failing ones first where there are too many."""
    every = curves.looks_in_order(card)
    looks = thinned(every)
    gates = curves.stage_gates(card)
    compared = differences(card, every, gates)
    metrics = curves.shown_gates(card, MOST_PANELS - 1)
    panels: list[Panel | Difference] = [curves.share(card, looks)]
    panels.extend(compared.get(metric) or curves.metric(card, looks, metric) for metric in metrics)
    times = curves.seconds(looks)
    start = looks[0].at if looks else None
    return Scene(
        title(card), subtitle(card), why(card), curves.outcome(card), times,
        curves.stage_spans(card, looks, times) if looks else (), panels, start, alt_text(card, panels),
    )  # fmt: skip
