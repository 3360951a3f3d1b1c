"""A staging environment that says what the test told it."""

from bot.errors import Transient
from strategies.reasons import Refused
from strategies.release import Release, Target


class FakeStaging:
    """Implements `bot.ports.Staging`; `asked` lists every address that was asked."""

    def __init__(self) -> None:
        self.versions: set[str] = set()
        self.asked: list[str] = []
        self.trouble = ""

    def completed(self, address: str, target: Target) -> bool:
        """Whether the test completed the candidate; Transient while there is trouble."""
        self.asked.append(address)
        if self.trouble:
            raise Transient(self.trouble)
        return target.candidate in self.versions


def unguarded(release: Release) -> Refused | None:
    """Nothing keeps this release from beginning."""
    del release
    return None
