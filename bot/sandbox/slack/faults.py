"""Faults on request: Slack slow, broken, silent, or refusing by rate."""

from dataclasses import dataclass, replace
from enum import Enum


class FaultKind(Enum):
    """What goes wrong."""

    ABORT = "abort"
    """The connection is reset before anything is done."""
    STATUS = "status"
    """An HTTP error answers and nothing is done."""
    SLOW = "slow"
    """The call is done and answered after a delay."""
    LOSE_REPLY = "lose_reply"
    """The call is done, the answer never arrives."""
    RATE_LIMIT = "rate_limit"
    """429 with Retry-After answers and nothing is done."""
    DUPLICATE = "duplicate"
    """A payload for the app goes to every connection."""
    API_ERROR = "api_error"
    """Slack's own refusal `error` answers and nothing is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault; it hits `methods` (all when empty) `times` times (for ever when None).

    Beside Web API methods, `response_url`, `upload` and `socket_mode` are names of methods.
    """

    kind: FaultKind
    methods: frozenset[str] = frozenset()
    times: int | None = None
    seconds: float = 1.0
    status: int = 503
    error: str = "internal_error"


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Let everything work again."""
        self._faults.clear()

    def take(self, method: str) -> list[Fault]:
        """The faults that hit this call, each one time poorer."""
        hit = [fault for fault in self._faults if not fault.methods or method in fault.methods]
        self._faults = [left for fault in self._faults if (left := _poorer(fault, fault in hit)) is not None]
        return hit


def _poorer(fault: Fault, was_hit: bool) -> Fault | None:
    if not was_hit or fault.times is None:
        return fault
    return replace(fault, times=fault.times - 1) if fault.times > 1 else None
