"""Answers what people ask, whichever surface they ask on: from the caches and the database, never from afar."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from bot import connections, gitops, intents, preflight, preflight_order, specs
from bot.adoptions import Adoptions
from bot.advice import advice
from bot.engine import Engine, already_releasing
from bot.errors import Transient
from bot.guarding import Guarding
from bot.intents import Defaults, Steering
from bot.ports import Card, Clock, Mesh
from bot.preflight import Inspect
from bot.profiles import Profile, Profiles
from bot.requests import (
    AdoptRequest,
    Answer,
    ApproveRequest,
    ConfirmNeeded,
    DriftRequest,
    HelpRequest,
    Listed,
    ListRequest,
    OverrideRequest,
    PauseRequest,
    Planned,
    Preflighted,
    PreflightRequest,
    Request,
    ResumeRequest,
    RollbackRequest,
    Said,
    ScheduleRequest,
    Shown,
    StartRequest,
    StatusRequest,
)
from storage.database import Database
from storage.errors import StorageError
from strategies import events, guards, moves, retirement
from strategies.decision import Decision
from strategies.guards import Check
from strategies.plan import Plan, StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.release import Actor, Phase, Release, Rules, Target

FULL_SIZE = frozenset({StrategyName.BLUE_GREEN, StrategyName.SHADOW})
LISTED, SUGGESTED = 20, 200  # releases shown, and ids that a misspelt one may have meant; the newest of each
SCOPES = ("active", "scheduled", "mine", "all")
# What a route looks like while a release of ours moves it.
MOVED = frozenset({ReasonCode.BASELINE_NOT_FULL, ReasonCode.FOREIGN_DESTINATION, ReasonCode.SAME_VERSION})

Cards = Callable[[str], Card | None]
Previews = Callable[[Target, Plan], str]


@dataclass(frozen=True, slots=True)
class _Draft:
    """What was asked for, resolved: whose profile, what moves, how, and by which rules."""

    profile: Profile
    target: Target
    plan: Plan
    rules: Rules


class Desk:
    """One door for commands, buttons and REST: a request and who asks, in; an answer or a refusal, out."""

    def __init__(  # noqa: PLR0913 - the composition root is the only caller
        self,
        *,
        engine: Engine,
        database: Database,
        mesh: Mesh,
        profiles: Profiles,
        clock: Clock,
        guarding: Guarding,
        defaults: Defaults,
        cards: Cards,
        previews: Previews,
        inspect: Inspect,
    ) -> None:
        self._engine = engine
        self._database = database
        self._mesh = mesh
        self._profiles = profiles
        self._clock = clock
        self._guarding = guarding
        self._defaults = defaults
        self._cards = cards
        self._previews = previews
        self._inspect = inspect
        self._adoptions = Adoptions(database, mesh, profiles, clock)

    def answer(self, request: Request, actor: Actor, key: str) -> Answer | Refused:
        """Take the request under its key; a repeated key does nothing twice. Transient while there is no database."""
        try:
            return self._answered(request, actor, key)
        except StorageError as error:
            raise Transient(f"The database does not answer: {error}") from error

    def _answered(self, request: Request, actor: Actor, key: str) -> Answer | Refused:
        match request:
            case StartRequest():
                return self._start(request, actor, key)
            case StatusRequest():
                return self._status(request)
            case ListRequest():
                return self._list(request, actor)
            case PreflightRequest():
                return self.preflight(request)
            case AdoptRequest():
                return self._adoptions.answer(request, actor, key)
            case HelpRequest():
                return Said("")
            case (
                ApproveRequest()
                | OverrideRequest()
                | PauseRequest()
                | ResumeRequest()
                | RollbackRequest()
                | ScheduleRequest()
                | DriftRequest()
            ):
                return self._steer(request, actor, key)
            case _:
                assert_never(request)

    def plan(self, request: StartRequest) -> Answer | Refused:
        """What a start would do, with every guard asked; takes as long as Prometheus and staging do."""
        try:
            found = self._drafted(request)
            if isinstance(found, Refused):
                return found
            asked = preflight_order.of_plan(found.target, found.profile, found.plan)
            seen = self._inspect(asked, preflight.DAY, preflight.PATIENCE)
            checks = self._guarding.all(found.target, found.plan, found.rules, lambda: seen.history)
            return replace(self._planned(request, found, checks), preflight=(seen.advice, *seen.warnings))
        except StorageError as error:
            raise Transient(f"The database does not answer: {error}") from error

    def preflight(self, request: PreflightRequest) -> Answer | Refused:
        """The service's gates over the last two days; takes as long as Prometheus does."""
        asked = preflight_order.asked(request.service, request.version, self._profiles, self._mesh)
        if isinstance(asked, Refused):
            return self._moved_by_us(request.service, asked)
        return Preflighted(asked, self._inspect(asked, 2 * preflight.DAY, preflight.UNHURRIED))

    def adopt(self, request: AdoptRequest, actor: Actor, key: str) -> Answer | Refused:
        """Do what `answer` took on; takes as long as the cluster does."""
        try:
            return self._adoptions.done(request, actor, key)
        except StorageError as error:
            raise Transient(f"The database does not answer: {error}") from error

    def _start(self, request: StartRequest, actor: Actor, key: str) -> Answer | Refused:
        found = self._drafted(request)
        if isinstance(found, Refused):
            return found
        is_later = request.at is not None and request.at > self._clock.now()
        checks = self._guarding.near(found.target, found.plan, found.rules, is_later=is_later)
        if request.dry:
            return self._planned(request, found, checks)
        refused = guards.refusal(checks, request.overrides)
        if refused is not None:
            return _overridable(refused)
        channel = found.profile.channel or self._defaults.channel
        if not channel:
            text = f"Nobody would be asked or told about {found.target.service}: it has no channel."
            return Refused(ReasonCode.BAD_INPUT, f"{text} Name one in its profile, or set SLUICE_SLACK_CHANNEL.")
        outcome = self._engine.submit(
            events.ReleaseRequested(
                release="",
                key=key,
                actor=actor,
                targets=(found.target,),
                plan=found.plan,
                rules=found.rules,
                channel=channel,
                starts_at=request.at,
                overrides=guards.needed(checks, request.overrides),
                override_reason=request.override_reason,
            )
        )
        return _said(outcome)

    def _drafted(self, request: StartRequest) -> _Draft | Refused:
        known = self._profiles.find(request.service)
        broken = self._profiles.broken(request.service)
        if broken:
            return Refused(
                ReasonCode.BAD_INPUT, f"The profile of {request.service} cannot be used: {'; '.join(broken)}."
            )
        target = self._mesh.survey(intents.survey(request, known))
        if isinstance(target, Refused):
            return self._moved_by_us(request.service, target)
        profile = known or Profile(service=target.service, namespace=target.namespace)
        plan = specs.plan(request, profile, target)
        if isinstance(plan, Refused):
            return plan
        refused = self._mesh.unwritable(target, plan)
        if refused is not None:
            return refused
        rules = intents.rules(profile, self._defaults.look)
        # A canary grows pod by pod and holds when there is no room; these take a second full version or a copy of it.
        refused = self._mesh.room(target, plan, rules.capacity) if FULL_SIZE & plan.ways else None
        return refused or _Draft(profile, target, plan, rules)

    def _moved_by_us(self, service: str, refused: Refused) -> Refused:
        """The refusal of a survey, unless what it stumbled over is the split of a release that runs."""
        if refused.reason_code not in MOVED:
            return refused
        with self._database.reading() as tx:
            running = [each.release for each in tx.releases.find(service) if not each.release.is_over]
            return already_releasing(tx, running[0].target.service, running[0].id) if running else refused

    def _planned(self, request: StartRequest, draft: _Draft, checks: Sequence[Check]) -> Planned:
        profile, target, plan = draft.profile, draft.target, draft.plan
        start = max(request.at, self._clock.now()) if request.at else self._clock.now()
        ends = []
        for stage in plan.stages:
            start += stage.hold
            ends.append(start)
        remarks = []
        if any(stage.approval for stage in plan.stages):
            remarks.append("End times leave out the time that people take to approve.")
        if target.image:
            made = f"Deployment {target.namespace}/{target.workloads[target.candidate]}"
            remarks.append(f"{made} would be made from {target.baseline}'s with the image {target.image}.")
        if target.elsewhere:
            remarks.append(f"Other routes to {target.service} stay as they are: {', '.join(target.elsewhere)}.")
        remarks += self._in_the_way(target)
        remarks += filter(None, [connections.remark(plan, target)])
        remarks += filter(None, (gitops.remark(name, self._mesh.manifest(name)) for name in target.objects))
        if self._profiles.find(request.service) is None:
            remarks.append(f"{profile.service} has no profile; these are the defaults.")
        return Planned(
            target,
            plan,
            tuple(ends),
            self._previews(target, plan),
            tuple(remarks),
            tuple(checks),
            advice(plan, target, checks, draft.rules.deadline),
        )

    def _in_the_way(self, target: Target) -> Sequence[str]:
        """What an active release of the same routes means for this one."""
        with self._database.reading() as tx:
            ids = dict.fromkeys(tx.releases.by_route(route.key) for route in target.routes)
            held = [stored.release for id in ids if id is not None and (stored := tx.releases.get(id)) is not None]
        return [retirement.in_the_way(release) for release in held]

    def _status(self, request: StatusRequest) -> Answer | Refused:
        if not request.subject:
            return self._listed("Active releases", is_active=True)
        release = self._find(request.subject)
        if isinstance(release, Refused):
            return release
        card = self._cards(release.id)
        return Shown(card) if card else _unknown(request.subject, ())

    def _list(self, request: ListRequest, actor: Actor) -> Answer | Refused:
        match request.scope:
            case "active":
                return self._listed("Active releases", is_active=True)
            case "scheduled":
                return self._listed("Scheduled releases", phase=Phase.SCHEDULED)
            case "mine":
                return self._listed("Your releases", requester=actor.id)
            case "all":
                return self._listed("Latest releases")
            case _:
                near = difflib.get_close_matches(request.scope, SCOPES, 1)
                hint = f" Did you mean {near[0]}?" if near else ""
                return Refused(ReasonCode.BAD_INPUT, f"{request.scope!r} is none of {', '.join(SCOPES)}.{hint}")

    def _listed(
        self, title: str, *, is_active: bool | None = None, phase: Phase | None = None, requester: str | None = None
    ) -> Listed:
        with self._database.reading() as tx:
            found = tx.releases.recent(LISTED, is_active=is_active, phase=phase, requester=requester)
        releases = tuple(stored.release for stored in found)
        return Listed(releases, title, self._clock.now(), tuple(self._mesh.troubles()))

    def _steer(self, request: Steering, actor: Actor, key: str) -> Answer | Refused:
        release = self._find(request.subject)
        if isinstance(release, Refused):
            return release
        if isinstance(request, RollbackRequest) and release.phase is Phase.COMPLETED and not release.is_leaving:
            lost = self._mesh.way_back(release)
            if lost:
                # Nothing is taken on that would hold the route and end nowhere.
                return Refused(ReasonCode.IRREVERSIBLE, f"{release.id} cannot go back: {lost}")
        outcome = self._engine.submit(intents.event(request, release, actor, key))
        if isinstance(request, ApproveRequest) and isinstance(outcome, Refused):
            return self._confirmable(request, release, outcome)
        return _said(outcome)

    def _confirmable(self, request: ApproveRequest, release: Release, refused: Refused) -> Answer | Refused:
        if refused.reason_code is not ReasonCode.TOO_FEW_REQUESTS or request.acknowledged:
            return refused
        now = self._engine.release(release.id) or release
        return ConfirmNeeded(now, moves.missing(now, self._clock.now()))

    def _find(self, subject: str) -> Release | Refused:
        with self._database.reading() as tx:
            found = [stored.release for stored in tx.releases.find(subject)]
            recent = () if found else tx.releases.recent_ids(SUGGESTED)
        active = [release for release in found if not release.is_over]
        if len(active) > 1:
            names = ", ".join(release.id for release in active)
            return Refused(ReasonCode.BAD_INPUT, f"{subject} has several active releases; name one of {names}.")
        if found:
            return (active or found)[0]
        return _unknown(subject, recent)


def _overridable(refused: Refused) -> Refused:
    if refused.reason_code not in guards.OVERRIDABLE:
        return refused
    words = f'override={refused.reason_code} reason="…"'
    return replace(refused, text=f"{refused.text} To start all the same, somebody with the override role adds {words}")


def _said(outcome: Decision | Refused) -> Answer | Refused:
    return outcome if isinstance(outcome, Refused) else Said(outcome.reply, outcome.release.id)


def _unknown(subject: str, known: Sequence[str]) -> Refused:
    near = difflib.get_close_matches(subject, known, 3)
    hint = f" Did you mean {' or '.join(near)}?" if near else " /release list shows the active ones."
    return Refused(ReasonCode.UNKNOWN_RELEASE, f"There is no release {subject!r}.{hint}")
