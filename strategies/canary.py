"""Canary: the candidate takes a growing share of everybody's requests."""

from decimal import Decimal
from itertools import pairwise

from strategies.plan import ApprovalGate, Approve, Gate, Plan, Spec, Stage
from strategies.reasons import ReasonCode, Refused
from strategies.routing import FINEST, HUNDRED, Split, percent


def plan(spec: Spec) -> Plan | Refused:
    """One stage per step; refused with BAD_STEPS unless steps rise from above 0 to exactly 100."""
    trouble = _steps_trouble(spec.steps)
    if trouble:
        return Refused(ReasonCode.BAD_STEPS, f"{trouble} Steps rise from above 0 to 100, for example 5,25,50,100.")
    if spec.baseline == spec.candidate:
        return Refused(ReasonCode.SAME_VERSION, f"{spec.service} already serves {spec.candidate}.")
    last = len(spec.steps) - 1
    stages = tuple(_stage(spec, step, n, last) for n, step in enumerate(spec.steps))
    return Plan(spec.strategy, stages)


def _stage(spec: Spec, step: Decimal, n: int, last: int) -> Stage:
    gates: tuple[Gate, ...] = spec.gates
    # The question stands before an increase, so the last stage (everything given) asks nobody.
    if (spec.approve is Approve.EVERY and n < last) or (spec.approve is Approve.FINAL and n == last - 1):
        gates = (*gates, ApprovalGate(spec.quorum))
    split = Split.between(spec.baseline, spec.candidate, step)
    return Stage({spec.service: split}, spec.hold, gates, spec.min_requests)


def _steps_trouble(steps: tuple[Decimal, ...]) -> str:
    if not steps:
        return "No steps were given."
    for step in steps:
        if not step.is_finite() or not Decimal(0) < step <= HUNDRED:
            return f"Step {step} is not above 0 and at most 100."
        if step % FINEST:
            return f"Step {percent(step)} has more than two decimals."
    for before, after in pairwise(steps):
        if after <= before:
            return f"Step {percent(after)} does not rise above {percent(before)}."
    if steps[-1] != HUNDRED:
        return f"The last step is {percent(steps[-1])}, not 100 %."
    return ""
