"""Gathers what the guards ask about: from the caches for an answer at once, from neighbours before the first change."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol

from bot import preflight
from bot.answerers import Staging
from bot.errors import Transient
from bot.ports import Clock, Mesh, Metrics
from bot.profiles import Profile
from bot.surveys import SurveyRequest
from storage.database import Database
from strategies import guards, retirement
from strategies.guards import Check, Facts, Served, State
from strategies.plan import Gate, MetricGate, Plan, Stage
from strategies.reasons import ReasonCode, Refused
from strategies.release import Release, Rules, Target

if TYPE_CHECKING:
    from strategies.gates.past import Past

# A cluster that is not ready is asked every few seconds; what neighbours said holds a little longer.
REMEMBERED = timedelta(seconds=25)
MOST_REMEMBERED = 200


History = Callable[[], str]
"""A release's past, read by then if it was not yet."""


class Find(Protocol):
    """Where profiles are found."""

    def find(self, service: str) -> Profile | None:
        """The profile of a service, None when it has none."""
        ...


@dataclass(frozen=True, slots=True)
class _Asked:
    at: datetime
    staged: bool | None
    unstaged: str
    per_hour: float | None
    unread: Sequence[tuple[str, bool]] | None
    past: "Past | None"


class Guarding:
    """Checks the guards of a release; the rules themselves are in `strategies.guards`."""

    def __init__(  # noqa: PLR0913 - the composition root is the only caller but tests
        self,
        *,
        mesh: Mesh,
        metrics: Metrics,
        staging: Staging,
        profiles: Find,
        database: Database,
        clock: Clock,
        histories: Callable[[str], str] | None = None,
    ) -> None:
        """`histories` reads and keeps the past of a release that lacks it; Transient when Prometheus does not tell."""
        self._mesh = mesh
        self._metrics = metrics
        self._staging = staging
        self._profiles = profiles
        self._database = database
        self._clock = clock
        self._histories = histories
        self._asked: dict[tuple[str, str, str, tuple[MetricGate, ...], bool], _Asked] = {}

    def near(self, target: Target, plan: Plan, rules: Rules, *, is_later: bool = False) -> tuple[Check, ...]:
        """What the caches and the database tell; what may change until a later start is left open."""
        facts = Facts(flagged=self._mesh.flag(target, "irreversible")) if is_later else self._facts(target, rules)
        return guards.check(target, plan, rules.terms, facts)

    def all(self, target: Target, plan: Plan, rules: Rules, history: History | None = None) -> tuple[Check, ...]:
        """Everything, with questions to Prometheus and staging; takes as long as they do.

        `history` gives the baseline's past as a release keeps it; without it it is read where a gate depends on it.
        """
        return self._all(target, plan, rules, history, self._facts(target, rules))

    def _all(
        self, target: Target, plan: Plan, rules: Rules, history: History | None, facts: Facts
    ) -> tuple[Check, ...]:
        asked = self._outside(target, plan, rules, history)
        facts = replace(facts, staged=asked.staged, unstaged=asked.unstaged, unread=asked.unread)
        facts = replace(facts, per_hour=asked.per_hour, is_asked=True)
        if asked.per_hour is not None and asked.past is not None:
            facts = replace(facts, too_few=_too_few(target, plan, rules, asked.past, asked.per_hour))
        return guards.check(target, plan, rules.terms, facts)

    def refusal(self, release: Release) -> Refused | None:
        """Why the release may not write its first split now; UNREACHABLE while staging does not say."""
        for target in release.targets:
            facts = self._facts(target, release.rules)
            # What memory refuses is not asked about outside, however long it is waited for.
            near = guards.refusal(guards.check(target, release.plan, release.rules.terms, facts), release.waived)
            if near is not None:
                return near
            history = self._history(release) if target == release.target else None
            checks = self._all(target, release.plan, release.rules, history, facts)
            refused = guards.refusal(checks, release.waived)
            if refused is not None:
                return refused
            unsaid = next((each for each in checks if _is_unsaid(each)), None)
            if unsaid is not None and ReasonCode.NOT_STAGED not in release.waived:
                return Refused(ReasonCode.UNREACHABLE, unsaid.text)
        return None

    def _history(self, release: Release) -> History | None:
        if release.history:
            return lambda: release.history
        return partial(self._histories, release.id) if self._histories else None

    def _facts(self, target: Target, rules: Rules) -> Facts:
        served = {need.service: self._served(need.service, target.namespace) for need in rules.terms.needs}
        return Facts(
            flagged=self._mesh.flag(target, "irreversible"), ready=self._mesh.ready_pods(target), served=served
        )

    def _served(self, service: str, namespace: str) -> Served:
        with self._database.reading() as tx:
            found = tx.releases.find(service.partition(".")[0])
        active = (each.release for each in found if not each.release.is_over)
        moving = next((each for each in active if not retirement.is_promoted(each)), None)
        if moving is not None:
            return Served("", f"{moving.id} is still moving it ({moving.phase.replace('_', ' ')}).")
        profile = self._profiles.find(service)
        if profile is None:
            return self._mesh.served(SurveyRequest(service, "" if "." in service else namespace, ""))
        return self._mesh.served(
            SurveyRequest(profile.service, profile.namespace, "", version_label=profile.version_label)
        )

    def _outside(self, target: Target, plan: Plan, rules: Rules, history: History | None) -> _Asked:
        gates = preflight.gates_of(plan)
        key, now = (target.host, target.candidate, rules.terms.staging, gates, history is not None), self._clock.now()
        known = self._asked.get(key)
        if known is not None and abs(now - known.at) < REMEMBERED:
            return known
        staged, unstaged = self._staged(target, rules.terms.staging)
        own = tuple(gate for gate in gates if gate.query)
        objections = self._metrics.objections(target, own, rules.look, now) if own else ()
        unread = None if objections is None else [(each.text, each.is_final) for each in objections]
        per_hour = self._metrics.per_hour(target, now)
        # Its answer says that Prometheus is there: nobody waits in vain for a day of it.
        past = None if per_hour is None else self._past(preflight.Asked(target, gates, plan, rules.deadline), history)
        asked = _Asked(now, staged, unstaged, per_hour, unread, past)
        if len(self._asked) >= MOST_REMEMBERED:
            self._asked.clear()
        self._asked[key] = asked
        return asked

    def _past(self, asked: preflight.Asked, history: History | None) -> "Past":
        """The baseline's day before; empty where no gate depends on it, or it cannot be read."""
        # It brings numpy, which takes a while to import: whoever asks neighbours may wait for it, the start may not.
        from strategies.gates.past import Past, recall  # noqa: PLC0415

        if not any(gate.tolerated for gate in asked.gates):
            return Past()
        if history is None:
            return preflight.run(self._metrics, asked, preflight.DAY, self._clock.now()).past
        try:
            return recall(history())
        except Transient as error:
            return Past(trouble=str(error))

    def _staged(self, target: Target, address: str) -> tuple[bool | None, str]:
        if not address:
            return None, ""
        try:
            return self._staging.completed(address, target), ""
        except Transient as error:
            name = f"{target.service} {target.candidate}"
            return None, f"{error} So whether {name} was completed there is not known."


def _is_unsaid(check: Check) -> bool:
    return check.rule is ReasonCode.NOT_STAGED and check.state is State.OPEN


def _too_few(target: Target, plan: Plan, rules: Rules, known: "Past", per_hour: float) -> str:
    from strategies.gates.preflight import needs, trouble  # noqa: PLC0415 - as above

    past = replace(known, per_second=per_hour / 3600, trouble="")
    # How long a judge takes to rule something out is not known without the metric's past; what is left is the least.
    told = frozenset(name for name, metric in known.metrics.items() if metric.requests)
    stages = tuple(_counted(stage, told) for stage in plan.stages)
    asked = needs(replace(plan, stages=stages), target.service, target.candidate, past, rules.deadline)
    return trouble(asked, past)


def _counted(stage: Stage, told: frozenset[str]) -> Stage:
    return replace(stage, gates=tuple(_least(gate, told) for gate in stage.gates))


def _least(gate: Gate, told: frozenset[str]) -> Gate:
    return replace(gate, tolerated=None) if isinstance(gate, MetricGate) and gate.metric not in told else gate
