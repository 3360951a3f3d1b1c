"""Shadow: copies of requests go to the candidate, whose answers nobody gets; nothing of it stays."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from strategies import beside, steps
from strategies.plan import ApprovalGate, Gate, Plan, Spec, Stage
from strategies.reasons import ReasonCode, Refused
from strategies.rising import is_asked
from strategies.routing import Mirror, Split


def plan(spec: Spec) -> Plan | Refused:
    """One stage per mirrored percent, rising; the last stage takes the mirror away, the baseline serves throughout.

    A `mirror` of the spec stands in place of its steps. Refused with SIDE_EFFECTS while nobody said what mirrored
    requests do, with BAD_STEPS when the percents do not rise.
    """
    percents = (spec.mirror,) if spec.mirror is not None else spec.steps
    refused = beside.refusal(spec) or next(filter(None, (beside.mirror_refusal(spec, each) for each in percents)), None)
    if refused is not None:
        return refused
    trouble = steps.trouble(percents, last=None)
    if trouble:
        text = f"{trouble} Mirrored percents rise from above 0 to at most 100, for example 1,10,50."
        return Refused(ReasonCode.BAD_STEPS, text)
    if spec.matches:
        text = "A shadow copies requests of the whole route; a match would answer them from the candidate."
        return Refused(ReasonCode.BAD_INPUT, text)
    bare = Split.between(spec.baseline, spec.candidate, Decimal(0))
    copied = tuple(_stage(spec, bare, each, n, len(percents)) for n, each in enumerate(percents))
    return Plan(spec.strategy, (*copied, Stage({spec.service: bare}, timedelta(0))))


def _stage(spec: Spec, bare: Split, percent: Decimal, n: int, count: int) -> Stage:
    gates: tuple[Gate, ...] = spec.gates
    if is_asked(spec.approve, n, count):
        gates = (*gates, ApprovalGate(spec.quorum))
    split = replace(bare, mirror=Mirror(spec.candidate, percent))
    return Stage({spec.service: split}, spec.hold, gates, spec.min_requests)
