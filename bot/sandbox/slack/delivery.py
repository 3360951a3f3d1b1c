"""Payloads on their way to the app, and what the two ways of delivery have in common."""

import hmac
import uuid
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from bot.sandbox.slack.wire import Json


class PayloadKind(Enum):
    """What Socket Mode calls the three sorts of payload."""

    COMMAND = "slash_commands"
    INTERACTION = "interactive"
    EVENT = "events_api"


@dataclass(frozen=True, slots=True)
class Payload:
    """One payload for the app."""

    kind: PayloadKind
    document: Json


@dataclass(frozen=True, slots=True)
class Retry:
    """Which repetition of a delivery this is, and why."""

    number: int
    reason: str


class UndeliveredError(Exception):
    """The app did not acknowledge.

    `shown` is the error Slack shows the person, `reason` what a retry carries.
    """

    def __init__(self, shown: str, reason: str, *, may_retry: bool = True) -> None:
        super().__init__(f"{shown} ({reason})")
        self.shown = shown
        self.reason = reason
        self.may_retry = may_retry


class Transport(Protocol):
    """One way to the app."""

    async def send(self, payload: Payload, retry: Retry | None) -> Json:
        """The body of the app's acknowledgement; raises `UndeliveredError` without one in time."""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's request signature, version 0."""
    return "v0=" + hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, "sha256").hexdigest()


def new_envelope_id() -> str:
    """The name of one Socket Mode envelope."""
    return str(uuid.uuid4())
