"""What a stage carries beside its weights: matches, a mirror, and what forbids them."""

from dataclasses import replace
from decimal import Decimal

from strategies import matches
from strategies.plan import Spec
from strategies.reasons import ReasonCode, Refused
from strategies.routing import FINEST, HUNDRED, Mirror, Split


def refusal(spec: Spec) -> Refused | None:
    """Why no plan of this spec can be made, whatever its strategy; None when nothing forbids one."""
    if spec.baseline == spec.candidate:
        return Refused(ReasonCode.SAME_VERSION, f"{spec.service} already serves {spec.candidate}.")
    for match in spec.matches:
        why = matches.trouble(match)
        if not why and match.to not in {spec.baseline, spec.candidate}:
            why = f"A match leads to {match.to}, which is neither {spec.baseline} nor {spec.candidate}."
        if why:
            return Refused(ReasonCode.BAD_INPUT, why)
    if spec.mirror is None:
        return None
    return mirror_refusal(spec, spec.mirror)


def mirror_refusal(spec: Spec, percent: Decimal) -> Refused | None:
    """Why `percent` of the requests may not be mirrored; None when they may."""
    if not percent.is_finite() or not Decimal(0) < percent <= HUNDRED or percent % FINEST:
        text = f"Mirror {percent} is not above 0 and at most 100 with two decimals."
        return Refused(ReasonCode.BAD_INPUT, text)
    if spec.side_effects is None:
        text = (
            f"Mirrored requests run twice. Say in the profile of {spec.service} what that does to data stores and "
            "external APIs: side_effects: none or isolated."
        )
        return Refused(ReasonCode.SIDE_EFFECTS, text)
    return None


def split(spec: Spec, share: Decimal) -> Split:
    """`share` percent for the candidate with the spec's matches and mirror beside it; the last split is bare."""
    bare = Split.between(spec.baseline, spec.candidate, share)
    # Everything goes to the candidate: a match would say nothing more, a mirror would send each request twice.
    if share == HUNDRED:
        return bare
    mirror = Mirror(spec.candidate, spec.mirror) if spec.mirror is not None else None
    return replace(bare, matches=spec.matches, mirror=mirror)
