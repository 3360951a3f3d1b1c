"""Pipelines: several strategies one after the other, as one plan of one release."""

from collections.abc import Sequence
from dataclasses import replace

from strategies import catalog
from strategies.plan import ApprovalGate, Approve, Plan, Spec, Stage, StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.rising import is_asked

# What gives the candidate a share of everybody's requests comes last: after it, nothing may take them back again.
OPENING = frozenset({StrategyName.SHADOW, StrategyName.AB, StrategyName.BLUE_GREEN})


def plan(specs: Sequence[Spec]) -> Plan | Refused:
    """The stages of every spec in order, the end of each part but the last left out; refused as the parts are.

    Refused with BAD_INPUT when a part before the last gives shares to everybody. The last spec says who is asked.
    """
    *openings, last = specs
    strange = next((spec.strategy for spec in openings if spec.strategy not in OPENING), None)
    if strange is not None:
        text = f"In a pipeline {strange} comes last; before it may stand {', '.join(sorted(OPENING))}."
        return Refused(ReasonCode.BAD_INPUT, text)
    stages: list[Stage] = []
    for n, spec in enumerate(specs):
        # Who decides between two parts is asked here, so a part alone need not have somebody to end it.
        alone = spec if n == len(openings) else replace(spec, approve=Approve.EVERY)
        part = catalog.planned(alone)
        if isinstance(part, Refused):
            return Refused(part.reason_code, f"{spec.strategy}: {part.text}")
        kept = part.stages if n == len(openings) else part.stages[:-1]
        stages += [replace(stage, part=spec.strategy) for stage in kept]
    asked = [_asked(stage, last, n, len(stages)) for n, stage in enumerate(stages)]
    return catalog.asked_first(Plan(last.strategy, tuple(asked)), last)


def _asked(stage: Stage, last: Spec, n: int, count: int) -> Stage:
    """The stage with the question that its place in the whole asks."""
    gates = tuple(gate for gate in stage.gates if not isinstance(gate, ApprovalGate))
    return replace(stage, gates=(*gates, ApprovalGate(last.quorum)) if is_asked(last.approve, n, count) else gates)
