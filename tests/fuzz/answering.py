"""A reception whose desk is a machine that answers at once."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bot.errors import Transient
from bot.requests import (
    AdoptRequest,
    Answer,
    ConfirmNeeded,
    Listed,
    PreflightRequest,
    Request,
    Said,
    Shown,
    StartRequest,
)
from bot.slack.blocks import Message
from bot.slack.limits import violations
from bot.slack.reception import Later, Reception
from strategies.reasons import ReasonCode, Refused
from strategies.release import Actor, Phase, Role
from tests.unit.slack.releases import a_card, in_phase

NOW = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


class EveryDesk:
    """Gives each kind of answer in turn, and shows the request back where a text is free."""

    def __init__(self) -> None:
        self.asked: list[tuple[Request, Actor, str]] = []

    def answer(self, request: Request, actor: Actor, key: str) -> Answer | Refused:
        self.asked.append((request, actor, key))
        match len(self.asked) % 7:
            case 0:
                raise Transient(f"The database does not answer: {request}")
            case 1:
                return Refused(list(ReasonCode)[len(self.asked) % len(ReasonCode)], f"No: {request}")
            case 2:
                return Shown(a_card(in_phase(list(Phase)[len(self.asked) % len(Phase)])))
            case 3:
                return Listed((in_phase(Phase.STUCK),) * 22, f"{request}"[:40], NOW, (f"{request}",))
            case 4:
                return ConfirmNeeded(in_phase(Phase.OBSERVING), f"{request}")
            case _:
                return Said(f"{request} by {actor.name}", "reviews-1")

    def plan(self, request: StartRequest) -> Answer | Refused:
        return self.answer(request, Actor("U1", "ann"), "plan")

    def adopt(self, request: AdoptRequest, actor: Actor, key: str) -> Answer | Refused:
        return self.answer(request, actor, f"{key}:done")

    def preflight(self, request: PreflightRequest) -> Answer | Refused:
        return self.answer(request, Actor("U1", "ann"), "preflight")


class Everybody:
    """Knows everybody and gives them every role."""

    def actor(self, user: str, name: str = "") -> Actor:
        return Actor(user, name or user, frozenset(Role))

    def doubt(self, actor: Actor) -> str:
        del actor
        return ""


class Stopped:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW


def a_reception(desk: EveryDesk) -> Reception:
    return Reception(
        desk=desk,
        people=Everybody(),
        threads=lambda channel, ts: "reviews-1" if channel == "C1" and ts == "1.0" else None,
        clock=Stopped(),
        zone=BERLIN,
        command="/release",
    )


def problems(answer: Message | Later) -> list[str]:
    """What Slack would refuse, or a person would not see."""
    message = answer if isinstance(answer, Message) else answer()
    return violations(message.payload()) + ([] if message.text.strip() else ["empty"])
