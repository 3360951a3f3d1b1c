"""Which service, gates and plan a preflight is about: as a start would take them, from the caches alone."""

from dataclasses import replace

from bot import intents, specs
from bot.ports import Mesh
from bot.preflight import NEXT, Asked
from bot.profiles import Profile, Profiles
from bot.requests import StartRequest
from strategies.plan import Plan
from strategies.reasons import ReasonCode, Refused
from strategies.release import Target


def asked(service: str, version: str, profiles: Profiles, mesh: Mesh) -> Asked | Refused:
    """The preflight of a service, and of a version where one is named; refused as a start would be."""
    known, broken = profiles.find(service), profiles.broken(service)
    if broken:
        return Refused(ReasonCode.BAD_INPUT, f"The profile of {service} cannot be used: {'; '.join(broken)}.")
    request = StartRequest(service, version)
    target = mesh.survey(intents.survey(request, known))
    if isinstance(target, Refused):
        return target
    profile = known or Profile(service=target.service, namespace=target.namespace)
    target = target if version else replace(target, candidate=NEXT)
    plan = specs.plan(request, profile, target)
    return plan if isinstance(plan, Refused) else of_plan(target, profile, plan)


def of_plan(target: Target, profile: Profile, plan: Plan) -> Asked:
    """The preflight of a plan that is known already."""
    return Asked(target, profile.gates(), plan, profile.deadline)
