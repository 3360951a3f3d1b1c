"""Phased: the share grows by a timetable (`from 5 by 10 every 15m to 100`) or a ramp given in pairs."""

from strategies import rising
from strategies.plan import Plan, Spec
from strategies.reasons import Refused


def plan(spec: Spec) -> Plan | Refused:
    """One stage per step, each as long as it says; refused with BAD_STEPS unless steps rise from above 0 to 100."""
    return rising.plan(spec)
