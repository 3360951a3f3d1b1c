"""What the machine answers: the next state of the release and what shall be done outside."""

from dataclasses import dataclass

from strategies.effects import Effect
from strategies.release import Release


@dataclass(frozen=True, slots=True)
class Decision:
    """A move. `reply` answers the person who asked, `why` goes into the journal.

    `is_notable` is False for what the journal need not keep: a look that changed no verdict, a late twin.
    """

    release: Release
    effects: tuple[Effect, ...] = ()
    reply: str = ""
    why: str = ""
    is_notable: bool = True


def ignored(release: Release) -> Decision:
    """The event says nothing new: the release stays as it is, nothing is done, nothing is journalled."""
    return Decision(release, is_notable=False)
