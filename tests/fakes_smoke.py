"""A smoke test that answers as a test says."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.answerers import SmokeAnswer
from bot.errors import Transient


@dataclass
class FakeSmoke:
    """Says `answer`, or nothing while it is None; remembers what it was asked."""

    answer: SmokeAnswer | None = None
    asked: list[tuple[str, Mapping[str, object], str]] = field(default_factory=list)

    def ask(self, address: str, about: Mapping[str, object], key: str) -> SmokeAnswer:
        """The answer that the test set."""
        self.asked.append((address, about, key))
        if self.answer is None:
            raise Transient("The smoke test did not answer.")
        return self.answer
