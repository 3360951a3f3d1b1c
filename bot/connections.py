"""What a release can ask of tcp and tls routes: weights and people, where proxies count connections alone."""

from dataclasses import replace

from bot.profiles import Profile
from strategies import blue_green
from strategies.plan import Approve, Kind, MetricGate, Plan, Spec, StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.release import Decommission, Target
from strategies.routing import Protocol

OF_REQUESTS = ("errors", "outgoing_errors")
WEIGHTS_ALONE = frozenset({StrategyName.CANARY, StrategyName.PHASED, StrategyName.BLUE_GREEN})


def possible(spec: Spec, profile: Profile, target: Target) -> Spec | Refused:
    """The spec as the target's routes can carry it.

    Refused with UNSUPPORTED_KIND for matches, mirrors and cookies on a route of connections, for a metric that the
    profile names and no proxy will ever count, for a decommission whose proof can never come, and where nobody would be
    asked and no gate be left to say no. What nobody named is left out.
    """
    plain = [route for route in target.routes if route.protocol is not Protocol.HTTP]
    if not plain:
        return spec
    first = plain[0]
    where = f'{first.namespace}/{first.virtual_service} {first.protocol} route "{first.name}"'
    besides = "cookie" if spec.is_sticky else "match" if spec.matches else "mirror" if spec.mirror else ""
    if besides or spec.strategy not in WEIGHTS_ALONE:
        text = f"{where} carries connections, which are split by weight alone: no {besides or spec.strategy}."
        return Refused(ReasonCode.UNSUPPORTED_KIND, text)
    spec = blue_green.without_preview(spec, target)
    if target.carries_requests:
        return spec
    if profile.decommission is not Decommission.KEEP:
        text = f"decommission={profile.decommission}: nothing proves that no connection to {target.baseline} is open, "
        return Refused(ReasonCode.UNSUPPORTED_KIND, f"{text}so a service of tcp and tls routes alone keeps it: keep.")
    named = {"metrics", "min_requests"} & profile.model_fields_set
    blind = [gate.metric for gate in spec.gates if _needs_requests(gate)]
    if blind and "metrics" in named:
        text = f"No proxy counts requests of {target.service}, which moves by tcp and tls routes alone: "
        return Refused(
            ReasonCode.UNSUPPORTED_KIND,
            f"{text}take {', '.join(f'metrics.{each}' for each in blind)} out of its profile.",
        )
    gates = tuple(gate for gate in spec.gates if not _needs_requests(gate))
    if spec.approve is Approve.NONE and not (gates or spec.smoke or "metrics" in named):
        return Refused(
            ReasonCode.UNSUPPORTED_KIND,
            f"approve=none: no gate would judge {target.service}, for proxies count connections and no answers. Name a "
            "metric in its profile (cpu, memory, or a query of your own), take approve=every or final, or say "
            "metrics: {} where none is wanted.",
        )
    return replace(spec, gates=gates, min_requests=spec.min_requests if "min_requests" in named else 0)


def remark(plan: Plan, target: Target) -> str:
    """What of the target's connections no gate sees, for people who read the plan; empty where there are none."""
    plain = [f'{route.protocol} route "{route.name}"' for route in target.routes if route.protocol is not Protocol.HTTP]
    if not plain:
        return ""
    if target.carries_requests:
        return f"Gates measure the requests of http routes alone; {', '.join(plain)} moves with them and is not judged."
    if any(stage.metric_gates for stage in plan.stages):
        return ""
    return f"No metric judges {target.service}: proxies count its connections and no answers. Split and hold are all."


def _needs_requests(gate: MetricGate) -> bool:
    if gate.query is not None:
        return False
    return gate.metric in OF_REQUESTS or gate.measured is Kind.LATENCY
