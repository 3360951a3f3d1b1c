"""Canary: the candidate takes a growing share of everybody's requests, as far as the evidence carries it."""

from strategies import rising
from strategies.plan import Plan, Spec
from strategies.reasons import Refused


def plan(spec: Spec) -> Plan | Refused:
    """One stage per step; refused with BAD_STEPS unless steps rise from above 0 to exactly 100."""
    return rising.plan(spec)
