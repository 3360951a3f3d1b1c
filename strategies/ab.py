"""A/B: a certain group of requests gets the candidate until a business metric or a person decides."""

from dataclasses import replace
from decimal import Decimal

from strategies import beside, steps
from strategies.plan import ApprovalGate, Approve, Gate, Plan, Spec, Stage
from strategies.reasons import ReasonCode, Refused
from strategies.rising import is_asked
from strategies.routing import HUNDRED


def plan(spec: Spec) -> Plan | Refused:
    """One stage per share inside the match (`inside`, 100 alone when nothing is said), then everything.

    Refused with BAD_INPUT without a match, and when neither a person nor a metric of the business would decide.
    """
    if not spec.matches:
        text = "An ab test needs the group that gets the candidate, for example match=header:x-group=beta."
        return Refused(ReasonCode.BAD_INPUT, text)
    trouble = steps.trouble(spec.inside, last=None)
    if trouble:
        text = f"{trouble} Shares inside the match rise from above 0 to at most 100, for example 1,10,100."
        return Refused(ReasonCode.BAD_STEPS, text)
    refused = beside.refusal(spec)
    if refused is not None:
        return refused
    if spec.approve is Approve.NONE and not any(gate.query for gate in spec.gates):
        text = "An ab test ends by a person or by a metric with a query of its own; approve=none leaves neither."
        return Refused(ReasonCode.BAD_INPUT, text)
    count = len(spec.inside) + 1
    tested = tuple(_stage(spec, share, n, count) for n, share in enumerate(spec.inside))
    everything = Stage({spec.service: beside.split(spec, HUNDRED)}, spec.hold, spec.gates, spec.min_requests)
    return Plan(spec.strategy, (*tested, everything))


def _stage(spec: Spec, share: Decimal, n: int, count: int) -> Stage:
    gates: tuple[Gate, ...] = spec.gates
    if is_asked(spec.approve, n, count):
        gates = (*gates, ApprovalGate(spec.quorum))
    matches = tuple(replace(match, share=share) for match in spec.matches)
    split = beside.split(replace(spec, matches=matches), Decimal(0))
    return Stage({spec.service: split}, spec.hold, gates, spec.min_requests)
