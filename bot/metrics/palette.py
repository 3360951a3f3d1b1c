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

_OUTCOMES = {Outcome.PASS: "#007A59", Outcome.WAIT: "#8F5F00", Outcome.FAIL: "#B83200"}


def colour_of(outcome: Outcome) -> str:
    """Dark enough for white text; the word stands beside it always."""
    return _OUTCOMES[outcome]
