"""Blue-green: the candidate is tested by preview requests alone, then everything switches at once."""

from dataclasses import replace
from decimal import Decimal

from strategies import beside
from strategies.plan import ApprovalGate, Approve, Gate, Plan, SmokeGate, Spec, Stage, StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.release import Target
from strategies.routing import HUNDRED, Match, Protocol

PREVIEW = "header:x-sluice-preview"
PREVIEWED_BY = ("header", "authority")


def plan(spec: Spec) -> Plan | Refused:
    """Two stages: the preview match while the candidate serves nobody else, then everything.

    Without a match the preview is the header `x-sluice-preview` with the candidate's version. Its requests are judged,
    or a smoke test is asked, where the spec names one. Refused with BAD_INPUT
    for a preview by anything but header and host: everybody's requests would reach an untested version. Where no route
    can carry a preview there is the switch alone; a smoke test is refused then, for its requests would not arrive.
    """
    if not spec.previews:
        return _switch_alone(spec)
    strange = next((match for match in spec.matches if match.part not in PREVIEWED_BY), None)
    if strange is not None:
        text = f"A preview is reached by a header or a host, not by {strange.on}; release that group with ab."
        return Refused(ReasonCode.BAD_INPUT, text)
    matches = spec.matches or (Match(PREVIEW, spec.candidate, exact=spec.candidate),)
    shown = replace(spec, matches=matches)
    refused = beside.refusal(shown)
    if refused is not None:
        return refused
    gates: tuple[Gate, ...] = (SmokeGate(spec.smoke), *spec.gates) if spec.smoke else spec.gates
    if spec.approve is not Approve.NONE:
        gates = (*gates, ApprovalGate(spec.quorum))
    # A smoke test sends what it needs: how many requests that is, is its own affair.
    least = 0 if spec.smoke else spec.min_requests
    preview = Stage({spec.service: beside.split(shown, Decimal(0))}, spec.hold, gates, least)
    switch = Stage({spec.service: beside.split(spec, HUNDRED)}, spec.hold, spec.gates, spec.min_requests)
    return Plan(spec.strategy, (preview, switch))


def without_preview(spec: Spec, target: Target) -> Spec:
    """The spec as it is, but for the usual preview where a route of connections moves: that carries weights alone."""
    is_plain = any(route.protocol is not Protocol.HTTP for route in target.routes)
    is_usual = spec.strategy is StrategyName.BLUE_GREEN and not spec.matches
    return replace(spec, previews=False) if is_plain and is_usual else spec


def _switch_alone(spec: Spec) -> Plan | Refused:
    if spec.smoke:
        text = "A smoke test needs a preview, and connections of tcp and tls routes have none."
        return Refused(ReasonCode.UNSUPPORTED_KIND, text)
    refused = beside.refusal(spec)
    if refused is not None:
        return refused
    switch = Stage({spec.service: beside.split(spec, HUNDRED)}, spec.hold, spec.gates, spec.min_requests)
    return Plan(spec.strategy, (switch,))
