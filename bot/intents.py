"""Turns a request and a profile into what the core understands: survey, rules, event."""

from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from bot.profiles import Profile
from bot.requests import (
    ApproveRequest,
    DriftRequest,
    OverrideRequest,
    PauseRequest,
    ResumeRequest,
    RollbackRequest,
    ScheduleRequest,
    StartRequest,
)
from bot.surveys import SurveyRequest
from strategies import events
from strategies.release import Actor, Decommission, Release, Rules

WINDOW = timedelta(hours=1)  # of a scheduled increase whose end nobody named

Steering = (
    ApproveRequest | OverrideRequest | PauseRequest | ResumeRequest | RollbackRequest | ScheduleRequest | DriftRequest
)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for a service whose profile says nothing."""

    channel: str
    look: timedelta


def survey(request: StartRequest, profile: Profile | None) -> SurveyRequest:
    """What the mesh has to find; without a profile the service is looked for in every watched namespace."""
    if profile is None:
        return SurveyRequest(request.service, "", request.version, request.baseline, image=request.image)
    return SurveyRequest(
        service=profile.service,
        namespace=profile.namespace,
        candidate=request.version,
        baseline=request.baseline,
        version_label=profile.version_label,
        routes=tuple(choice.named() for choice in profile.routes),
        image=request.image,
        images=profile.images,
    )


def rules(profile: Profile, look: timedelta) -> Rules:
    """The part of the profile that the machine obeys; `look` where the profile names none."""
    return Rules(
        approvers=frozenset(profile.approvers),
        requester_may_approve=profile.requester_may_approve,
        no_answer_after=profile.no_answer.after,
        no_answer_then=profile.no_answer.then,
        on_harm=profile.on_harm,
        deadline=profile.deadline,
        at_deadline=profile.at_deadline,
        soak=profile.soak,
        decommission=profile.decommission,
        decommission_approval=asks_before(profile),
        scale=profile.scale,
        capacity=profile.capacity,
        idle=profile.idle_for,
        drain=profile.drain,
        look=profile.look or look,
        terms=profile.terms(),
    )


def asks_before(profile: Profile) -> bool:
    """Whether people are asked before the baseline goes: where the profile says nothing, before a deletion only."""
    if profile.decommission_approval is None:
        return profile.decommission is Decommission.DELETE
    return profile.decommission_approval


def event(request: Steering, release: Release, actor: Actor, key: str) -> events.Event:
    """The event that a request about an existing release becomes."""
    match request:
        case ApproveRequest():
            return events.ApprovalGiven(
                release.id,
                key,
                actor,
                request.revision,
                request.note,
                request.acknowledged,
                request.override_reason,
            )
        case OverrideRequest():
            return events.GuardOverridden(release.id, key, actor, request.rule, request.reason)
        case PauseRequest():
            return events.PauseRequested(release.id, key, actor, request.reason, request.revision)
        case ResumeRequest():
            return events.ResumeRequested(release.id, key, actor, request.revision)
        case RollbackRequest():
            return events.RollbackRequested(release.id, key, actor, request.reason)
        case ScheduleRequest():
            closes = request.until or request.at + WINDOW
            return events.ScheduleRequested(
                release.id, key, actor, request.at, closes, request.unattended, _stages(request, release)
            )
        case DriftRequest():
            choice = events.DriftChoice(request.choice)
            return events.DriftResolved(release.id, key, actor, choice, request.revision)
        case _:
            assert_never(request)


def _stages(request: ScheduleRequest, release: Release) -> tuple[int, ...]:
    """A window with an end speaks for every stage that is left; a lone time speaks for the next increase."""
    if release.stage < 0:
        return ()
    last = len(release.plan.stages) if request.until else release.stage + 1
    return tuple(range(release.stage, last))
