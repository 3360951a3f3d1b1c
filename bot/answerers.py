"""The doors to those who are asked about a version: the environment before this one, and the team's smoke tests.

As in `bot.ports`: every method has a timeout of its own, raises only `Transient` or `Fault`, and can be repeated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from strategies.release import Target


class Staging(Protocol):
    """The environment that a version passes through before this one."""

    def completed(self, address: str, target: Target) -> bool:
        """True when the candidate was completed there, as `address` says; Transient when nobody says."""
        ...


@dataclass(frozen=True, slots=True)
class SmokeAnswer:
    """What a smoke test said, as a sentence for people."""

    is_passed: bool
    text: str


class Smoke(Protocol):
    """Tests of the team's own, asked about a version that serves nobody yet."""

    def ask(self, address: str, about: Mapping[str, object], key: str) -> SmokeAnswer:
        """The answer; a repeat under the same key may be answered alike. Transient while nobody answers."""
        ...
