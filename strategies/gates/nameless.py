"""Errors that name no version: nobody answered, so that the caller's proxy does not know whose they are.

A service has some of them at all times (callers that give up, routes that lead nowhere). What it had before the release
is no news. More than that holds the release; and when they began right when Sluice changed the split, they are the
candidate's: nothing else changed then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from strategies.gates.chance import LOOK, STAGE, Counts, is_surely_above

AT_CHANGE = 60.0  # seconds after a change of the split in which what begins began with it


@dataclass(frozen=True, slots=True)
class Nameless:
    """What one release has had of them.

    `before` are errors and seconds of the stages before this one in which there were no more than usual. `errors` and
    `seconds` are this stage's, `first` says how far into it the first one came (-1: none did), `settled` how many of
    them were counted as the candidate's already. `is_excess` when there seem to be more than before, `is_sure` when no
    look of the stage would say so by chance.
    """

    before: tuple[float, float] = (0.0, 0.0)
    errors: int = 0
    seconds: float = 0.0
    first: float = -1.0
    settled: int = 0
    is_excess: bool = False
    is_sure: bool = False

    def in_next_stage(self) -> "Nameless":
        """The same at the start of a stage; errors in excess never become usual."""
        errors, seconds = self.before
        before = self.before if self.is_excess else (errors + self.errors, seconds + self.seconds)
        return Nameless(before)

    def after(self, errors: int, seconds: float, usual: tuple[float, float]) -> "Nameless":
        """With one look more; `usual` are errors and seconds before the release."""
        seen = self.errors + errors
        length = self.seconds + seconds
        first = length if errors and self.first < 0 else self.first
        known, known_seconds = self.before[0] + usual[0], self.before[1] + usual[1]
        # Were they as frequent as before, each of all errors would fall into this stage by its part of the time.
        part = length / (length + known_seconds) if length else 0.0
        counts, is_known = Counts(round(known + seen), seen), known_seconds > 0
        is_excess, is_sure = (is_known and is_surely_above(counts, part, level) for level in (LOOK, STAGE))
        return replace(self, errors=seen, seconds=length, first=first, is_excess=is_excess, is_sure=is_sure)

    @property
    def unsettled(self) -> int:
        """Errors that were not counted as the candidate's so far."""
        return self.errors - self.settled

    @property
    def is_ours(self) -> bool:
        """True when they came with our own change of the split."""
        return self.is_sure and 0 <= self.first <= AT_CHANGE

    def is_comparable(self, usual: tuple[float, float]) -> bool:
        """True when it is known how many there were before."""
        return self.before[1] + usual[1] > 0


def plain(state: Nameless) -> list[object]:
    """The stored form."""
    return [*state.before, state.errors, state.seconds, state.first, state.settled, state.is_excess, state.is_sure]


def restored(kept: Sequence[float]) -> Nameless:
    """The state in its stored form; a new one of nothing."""
    if not kept:
        return Nameless()
    known, length, errors, seconds, first, settled, is_excess, is_sure = kept
    return Nameless((known, length), int(errors), seconds, first, int(settled), bool(is_excess), bool(is_sure))
