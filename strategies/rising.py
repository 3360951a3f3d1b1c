"""Stages of a growing share, as canary and phased have them."""

from dataclasses import replace
from decimal import Decimal

from strategies import beside, steps
from strategies.plan import ApprovalGate, Approve, Gate, Plan, Spec, Stage
from strategies.reasons import ReasonCode, Refused
from strategies.routing import HUNDRED, Sticky


def plan(spec: Spec) -> Plan | Refused:
    """One stage per step; refused with BAD_STEPS unless steps rise from above 0 to exactly 100."""
    trouble = steps.trouble(spec.steps)
    if trouble:
        return Refused(ReasonCode.BAD_STEPS, f"{trouble} Steps rise from above 0 to 100, {steps.EXAMPLE}.")
    if spec.holds and len(spec.holds) != len(spec.steps):
        return Refused(ReasonCode.BAD_STEPS, f"{len(spec.holds)} holds were given for {len(spec.steps)} steps.")
    refused = beside.refusal(spec)
    if refused is not None:
        return refused
    return Plan(spec.strategy, tuple(_stage(spec, step, n) for n, step in enumerate(spec.steps)))


def _stage(spec: Spec, step: Decimal, n: int) -> Stage:
    hold = spec.holds[n] if spec.holds else spec.hold
    gates: tuple[Gate, ...] = spec.gates
    if is_asked(spec.approve, n, len(spec.steps)):
        gates = (*gates, ApprovalGate(spec.quorum))
    split = beside.split(spec, step)
    if spec.is_sticky and step < HUNDRED:
        split = replace(split, sticky=Sticky.between(n, spec.steps[n - 1] if n else step, step))
    return Stage({spec.service: split}, hold, gates, spec.min_requests)


def is_asked(approve: Approve, n: int, count: int) -> bool:
    """True when people are asked at the end of stage `n` of `count`.

    The question stands before an increase, so the last stage (everything given) asks nobody.
    """
    return (approve is Approve.EVERY and n < count - 1) or (approve is Approve.FINAL and n == count - 2)
