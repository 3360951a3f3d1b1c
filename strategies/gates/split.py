"""Does the mesh do what it was told: the asked share against the measured one."""

from dataclasses import replace

from strategies.gates.chance import is_share_plausible, tells_share
from strategies.gates.evidence import Evidence, Names
from strategies.gates.figures import count, percent
from strategies.gates.memory import Memory
from strategies.verdicts import Outcome, Verdict

GATE = "split"
APART = 3  # looks running


def judge_split(seen: Evidence, asked: float, names: Names, memory: Memory) -> tuple[Verdict, Memory]:
    """Agreement unless three looks running lie outside the exact 99.9 % binomial interval.

    A look with requests enough to contradict the split stands for itself. Smaller ones add up until together they
    could, so that a split that is wrong is found at one request per second too.
    """
    ours = seen.tally.candidate.requests
    look = ours + seen.tally.baseline.requests
    if look == 0 and memory.routed == 0:
        return _wait(asked, None, f"No {names.counted}s measured yet.", f"{names.counted}s"), memory
    if tells_share(look, asked):
        routed, matched = look, ours
    else:
        routed, matched = memory.routed + look, memory.matched + ours
    if is_share_plausible(matched, routed, asked):
        proven = tells_share(routed, asked)
        kept = replace(memory, routed=0 if proven else routed, matched=0 if proven else matched, apart=0)
        return _agrees(asked, matched, routed, names), kept
    memory = replace(memory, routed=routed, matched=matched, apart=min(memory.apart + 1, APART))
    return _apart(asked, matched, routed, names, memory.apart), memory


def _agrees(asked: float, matched: int, routed: int, names: Names) -> Verdict:
    share = matched / routed
    text = f"{names.candidate} gets {percent(share)} of {count(routed, names.counted)}, asked {percent(asked)}."
    return Verdict(GATE, Outcome.PASS, text, candidate=share, bound=asked, unit="ratio")


def _apart(asked: float, matched: int, routed: int, names: Names, looks: int) -> Verdict:
    share = matched / routed
    figures = f"asked {percent(asked)}, measured {percent(share)} of {count(routed, names.counted)}"
    if looks < APART:
        # The candidate's share is not trusted, and not yet denied either: this alone must not look like agreement.
        text = f"{looks} of {APART} looks differ from the split: {figures}."
    else:
        text = f"The mesh does not do what was asked of it for {names.candidate}: {figures}, {APART} looks running."
    return _wait(asked, share, text, "a measured share that agrees with the split")


def _wait(asked: float, share: float | None, text: str, missing: str) -> Verdict:
    return Verdict(GATE, Outcome.WAIT, text, candidate=share, bound=asked, unit="ratio", missing=missing)
