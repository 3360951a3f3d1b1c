"""Traffic that weights alone do not steer: did what was asked for reach the candidate, and nothing else?

A match brings as many requests as its people send, so no share can be asked beforehand: what is checked is that some
came, and that not surely more (or fewer) came than the split allows. Mirrored requests answer nobody: they are counted
by their receivers, and the candidate must answer no live ones beside them.
"""

from dataclasses import dataclass
from typing import assert_never

from strategies.gates.chance import STAGE, Counts, is_surely_above
from strategies.gates.evidence import Names
from strategies.gates.figures import count, percent
from strategies.gates.memory import Tally
from strategies.gates.split import GATE
from strategies.routing import Steering
from strategies.verdicts import Outcome, Reading, Verdict


@dataclass(frozen=True, slots=True)
class Aim:
    """What a stage asks of traffic whose share is not known beforehand.

    `least` and `most` bound the candidate's share of all requests, 0 to 1; `group` names in words whose requests it
    gets; `mirrored` is the share of the requests that is copied, 0 to 1; `people` the share of the people who keep the
    candidate by a cookie, None where each request is drawn anew. `is_partial` where other routes lead to the service
    too: the metrics do not tell by which a request came.
    """

    steering: Steering
    least: float = 0.0
    most: float = 1.0
    group: str = ""
    mirrored: float = 0.0
    people: float | None = None
    is_partial: bool = False


def judge_aim(aim: Aim, total: Tally, reading: Reading, names: Names) -> Verdict:
    """The verdict after a look; `total` is all that the stage saw, the look included."""
    match aim.steering:
        case Steering.MIRROR:
            return _mirrored(aim, total, reading, names)
        case Steering.MATCHES | Steering.WEIGHTS:
            return _matched(aim, total, names)
        case _:  # pragma: no cover
            assert_never(aim.steering)


def _matched(aim: Aim, total: Tally, names: Names) -> Verdict:
    ours, whole = total.candidate.requests, total.candidate.requests + total.baseline.requests
    if not ours:
        who = f"Nobody has sent {aim.group} yet" if aim.group else "Nobody has reached it yet"
        text = f"{who}: 0 of {count(whole, 'request')} went to {names.candidate}."
        return _verdict(Outcome.WAIT, text, missing=f"requests with {aim.group}" if aim.group else "requests")
    share = ours / whole
    seen = f"{names.candidate} answered {percent(share)} of {count(whole, 'request')}"
    if aim.is_partial:
        text = f"{seen}: some routes to it stay as they are, so its share of all requests is not known beforehand."
        return _verdict(Outcome.PASS, text, share)
    if aim.people is not None:
        text = f"{seen}: people keep their version, so requests only come near the {percent(aim.people)} of them asked."
        return _verdict(Outcome.PASS, text, share, aim.people)
    if aim.most < 1 and is_surely_above(Counts(whole, ours), aim.most, STAGE):
        text = f"{seen}; at most {percent(aim.most)} was asked."
        return _verdict(Outcome.WAIT, text, share, aim.most, missing="a share that the split allows")
    if aim.least > 0 and is_surely_above(Counts(whole, whole - ours), 1 - aim.least, STAGE):
        text = f"{seen}; at least {percent(aim.least)} was asked."
        return _verdict(Outcome.WAIT, text, share, aim.least, missing="a share that the split allows")
    bounds = [
        f"at most {percent(aim.most)}" if aim.most < 1 else "",
        f"at least {percent(aim.least)}" * (aim.least > 0),
    ]
    known = " and ".join(each for each in bounds if each) or "how many come is up to them"
    return _verdict(Outcome.PASS, f"{seen}: {aim.group or 'matched ones'}; {known}.", share)


def _mirrored(aim: Aim, total: Tally, reading: Reading, names: Names) -> Verdict:
    if reading.live:
        text = f"{names.candidate} also answered {count(round(reading.live), 'live request')}, which no shadow does."
        return _verdict(Outcome.WAIT, text, missing=f"a {names.candidate} that answers nobody")
    ours, whole = total.candidate.requests, total.baseline.requests
    asked = f"{percent(aim.mirrored)} asked"
    if not ours:
        text = f"No copy has reached {names.candidate} yet, beside {count(whole, 'live request')} ({asked})."
        return _verdict(Outcome.WAIT, text, missing="mirrored requests")
    copies = f"{ours:,} {'copy' if ours == 1 else 'copies'}"
    text = f"{names.candidate} took {copies} beside {count(whole, 'live request')} ({asked})."
    if reading.live is None:
        text = f"{text} Whether it answers live ones too, only callers' proxies would tell."
    return _verdict(Outcome.PASS, text, ours / whole if whole else None, aim.mirrored)


def _verdict(
    outcome: Outcome, text: str, share: float | None = None, bound: float | None = None, *, missing: str = ""
) -> Verdict:
    return Verdict(GATE, outcome, text, candidate=share, bound=bound, unit="ratio", missing=missing)
