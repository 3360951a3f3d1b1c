"""Colours that differ for every kind of eye (Okabe and Ito), on a light ground of our own."""

from strategies.verdicts import Outcome

GROUND = "#FFFFFF"
INK = "#1D2228"
QUIET = "#5D6772"
RULE = "#D9DFE5"
STRIPE = "#EDF3F8"
BASELINE = "#7A858F"
CANDIDATE = "#0072B2"
BOUND = "#D55E00"
GOOD = "#007A59"
BAND = "#D2E6F5"

_OUTCOMES = {Outcome.PASS: GOOD, Outcome.WAIT: "#8F5F00", Outcome.FAIL: "#B83200"}


def colour_of(outcome: Outcome) -> str:
    """Dark enough for white text; the word stands beside it always."""
    return _OUTCOMES[outcome]


def shades(steps: int = 6) -> list[int]:
    """Red, green, blue of every colour and of its soft edges on both grounds, one after the other."""
    inks = [INK, QUIET, RULE, BASELINE, CANDIDATE, BOUND, *_OUTCOMES.values()]
    mixed = [
        _mixed(ground, ink, step / steps)
        for ground in (GROUND, STRIPE, BAND)
        for ink in inks
        for step in range(steps + 1)
    ]
    return [part for colour in dict.fromkeys(mixed) for part in colour]


def _mixed(ground: str, ink: str, share: float) -> tuple[int, ...]:
    pairs = zip(_parts(ground), _parts(ink), strict=True)
    return tuple(round(below + (above - below) * share) for below, above in pairs)


def _parts(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))
