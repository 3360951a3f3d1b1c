"""What must hold before the first change to a route: facts in, one check per guard out.

A guard keeps a release from beginning and has no say once its first split is written: nothing here is asked on the way
back. Those in `OVERRIDABLE` can be overridden by a person with the override role and a reason. The others can not, for
then there would be nothing to move (SAME_VERSION), nothing whole to go back to (BASELINE_NOT_FULL) or nobody to answer
(NOT_READY, which waits instead).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from strategies import versions
from strategies.plan import Approve, Plan, StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.release import Target
from strategies.rising import is_asked
from strategies.routing import Split, percent
from strategies.terms import Need, Terms

OVERRIDABLE = (
    ReasonCode.STATEFUL,
    ReasonCode.MIXED_VERSIONS,
    ReasonCode.BAD_STEPS,
    ReasonCode.SELF_APPROVAL,
    ReasonCode.IRREVERSIBLE,
    ReasonCode.NEEDS,
    ReasonCode.NOT_STAGED,
    ReasonCode.TOO_FEW_REQUESTS,
)


@dataclass(frozen=True, slots=True)
class Served:
    """What another service serves: `version` when one has everything, else empty; `why` is the sentence for that."""

    version: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found outside; None, or absent, where nobody has looked.

    `ready` counts pods by version, `flagged` is what the candidate's Deployment says of data that cannot go back,
    `served` is by needed service, `staged` says whether the candidate was completed in staging (`unstaged`: why that is
    not known), `per_hour` counts the service's requests, and `too_few` says why they cannot answer the gates (empty:
    they can). `is_asked` says that neighbours were asked for what is still missing. `unread` is what stands against the
    metric gates' own queries, with True where it never ends (None: not asked).
    """

    ready: Mapping[str, int] | None = None
    flagged: str = ""
    served: Mapping[str, Served] = field(default_factory=dict)
    staged: bool | None = None
    unstaged: str = ""
    per_hour: float | None = None
    too_few: str | None = None
    is_asked: bool = False
    unread: Sequence[tuple[str, bool]] | None = None


class State(StrEnum):
    """What a guard found."""

    HOLDS = "holds"
    BROKEN = "broken"
    OPEN = "open"  # nobody could tell yet: it is asked again before the first change


@dataclass(frozen=True, slots=True)
class Check:
    """One guard's answer, with its sentence."""

    rule: ReasonCode
    state: State
    text: str


def check(target: Target, plan: Plan, terms: Terms, facts: Facts) -> tuple[Check, ...]:
    """Every guard that concerns this release, in a fixed order."""
    found = (
        *_standing(target, plan, facts),
        *_strategy(target, plan, terms),
        _first_step(target, plan, terms),
        _asked(target, plan, terms),
        *_way_back(target, terms, facts),
        *(_need(each, facts.served.get(each.service)) for each in terms.needs),
        _staged(target, terms, facts),
        *_queries(plan, facts),
        _requests(target, plan, facts),
    )
    return tuple(each for each in found if each is not None)


def refusal(checks: Sequence[Check], waived: Collection[ReasonCode] = ()) -> Refused | None:
    """The first broken guard that nobody overrode; a candidate without ready pods is waited for, not refused."""
    for each in checks:
        if each.state is State.BROKEN and each.rule is not ReasonCode.NOT_READY and each.rule not in waived:
            return Refused(each.rule, each.text)
    return None


def needed(checks: Sequence[Check], overrides: Sequence[ReasonCode]) -> tuple[ReasonCode, ...]:
    """Those of the overrides that do something: what holds anyway needs none, what is open may need one later."""
    in_doubt = {each.rule for each in checks if each.state is not State.HOLDS}
    return tuple(rule for rule in dict.fromkeys(overrides) if rule in in_doubt)


def _standing(target: Target, plan: Plan, facts: Facts) -> Iterator[Check]:
    """What the survey and every planner have made sure of, said so that a plan shows it."""
    baseline, candidate = target.baseline, target.candidate
    yield Check(ReasonCode.SAME_VERSION, State.HOLDS, f"{candidate} is another version than {baseline}.")
    yield Check(ReasonCode.BASELINE_NOT_FULL, State.HOLDS, f"{baseline} serves 100 %.")
    if facts.ready is None:
        yield Check(ReasonCode.NOT_READY, State.OPEN, f"The pods of {candidate} are not known yet.")
    elif not facts.ready.get(candidate):
        text = f"{candidate} has no ready pod; {plan.strategy} begins when it has one."
        yield Check(ReasonCode.NOT_READY, State.BROKEN, text)
    else:
        yield Check(ReasonCode.NOT_READY, State.HOLDS, f"{candidate} has {_pods(facts.ready[candidate])}.")


def _strategy(target: Target, plan: Plan, terms: Terms) -> Iterator[Check]:
    mixing = next((part for part in plan.parts if part is not StrategyName.BLUE_GREEN), None)
    switches = mixing is None
    state = State.HOLDS if switches else State.BROKEN
    both = f"{target.baseline} and {target.candidate}"
    if terms.stateful:
        text = (
            f"{target.service} keeps state and switches at once."
            if switches
            else f"{target.service} keeps state (stateful: true), and {mixing} lets {both} work on it side by "
            "side; release it blue-green."
        )
        yield Check(ReasonCode.STATEFUL, state, text)
    if not terms.mixed_versions:
        text = (
            f"{both} do not answer side by side."
            if switches
            else f"{both} may not answer side by side (mixed_versions: false), as {mixing} lets them; release "
            "it blue-green."
        )
        yield Check(ReasonCode.MIXED_VERSIONS, state, text)


def _first_step(target: Target, plan: Plan, terms: Terms) -> Check | None:
    most = terms.first_step_at_most
    if most is None:
        return None
    opening = plan.opening(target.service, target.candidate)
    first = _exposed(opening.splits[target.service], target.candidate)
    if first <= most:
        text = f"The first stage sends {percent(first)}, at most {percent(most)}."
        return Check(ReasonCode.BAD_STEPS, State.HOLDS, text)
    text = f"The first stage sends {percent(first)} to {target.candidate}; {target.service} begins with at most "
    return Check(ReasonCode.BAD_STEPS, State.BROKEN, f"{text}{percent(most)} (first_step_at_most).")


def _asked(target: Target, plan: Plan, terms: Terms) -> Check | None:
    """A start may ask its approvers more often than the owner demands, and not less: that were to approve oneself."""
    if terms.approve is None or terms.approve is Approve.NONE:
        return None
    # A shadow's end gives nobody anything, so nobody is asked before it.
    stages = plan.stages[:-1] if plan.strategy is StrategyName.SHADOW else plan.stages
    unasked = [n for n, stage in enumerate(stages) if is_asked(terms.approve, n, len(stages)) and not stage.approval]
    when = "each increase" if terms.approve is Approve.EVERY else "the last increase"
    if not unasked:
        text = f"Approvers are asked before {when}, as {target.service} demands."
        return Check(ReasonCode.SELF_APPROVAL, State.HOLDS, text)
    text = f"{target.service} demands that approvers are asked before {when}, by its profile"
    stage = f"this plan asks nobody after stage {unasked[0] + 1}"
    return Check(ReasonCode.SELF_APPROVAL, State.BROKEN, f"{text}; {stage}. Leave out approve=.")


def _way_back(target: Target, terms: Terms, facts: Facts) -> Iterator[Check]:
    baseline = target.baseline
    if terms.irreversible or facts.flagged:
        where = f"its Deployment says: {facts.flagged}" if facts.flagged else "irreversible: true"
        text = f"{target.candidate} changes data in a way that {baseline} does not understand ({where})."
        yield Check(ReasonCode.IRREVERSIBLE, State.BROKEN, f"{text} A rollback would move requests, not data.")
    if facts.ready is None:
        yield Check(ReasonCode.IRREVERSIBLE, State.OPEN, f"The pods of {baseline} are not known yet.")
        return
    pods = facts.ready.get(baseline, 0)
    if pods:
        yield Check(ReasonCode.IRREVERSIBLE, State.HOLDS, f"There is a way back: {baseline} has {_pods(pods)}.")
    else:
        text = f"There is no way back: {baseline} has no ready pod to answer after a rollback."
        yield Check(ReasonCode.IRREVERSIBLE, State.BROKEN, text)


def _need(need: Need, served: Served | None) -> Check:
    if served is None:
        return Check(ReasonCode.NEEDS, State.OPEN, f"Whether {need} holds is asked before the first change.")
    if not served.version:
        return Check(ReasonCode.NEEDS, State.BROKEN, f"{need} is needed: {served.why}")
    order = versions.compare(served.version, need.at_least)
    if order is None:
        text = f"{need} is needed, and {need.service} serves {served.version}: these two versions have no order."
        return Check(ReasonCode.NEEDS, State.BROKEN, text)
    if order < 0:
        text = f"{need} is needed, and {need.service} serves {served.version}."
        return Check(ReasonCode.NEEDS, State.BROKEN, text)
    return Check(ReasonCode.NEEDS, State.HOLDS, f"{need}: it serves {served.version} to everybody.")


def _staged(target: Target, terms: Terms, facts: Facts) -> Check | None:
    if not terms.staging:
        return None
    name = f"{target.service} {target.candidate}"
    if facts.staged is None:
        text = facts.unstaged or f"Whether {name} was completed in staging is asked before the first change."
        return Check(ReasonCode.NOT_STAGED, State.OPEN, text)
    if facts.staged:
        return Check(ReasonCode.NOT_STAGED, State.HOLDS, f"{name} was completed in staging.")
    return Check(ReasonCode.NOT_STAGED, State.BROKEN, f"{name} was not completed in staging.")


def _queries(plan: Plan, facts: Facts) -> Iterator[Check]:
    """The owner's own metrics: a query that can never be answered is refused, one without series yet is only told."""
    if not any(gate.query for stage in plan.stages for gate in stage.metric_gates):
        return
    if facts.unread is None:
        text = "Whether Prometheus answers the profile's own queries is asked before the first change."
        yield Check(ReasonCode.BAD_INPUT, State.OPEN, text)
    elif not facts.unread:
        yield Check(ReasonCode.BAD_INPUT, State.HOLDS, "Prometheus answers the profile's own queries.")
    for text, is_final in facts.unread or ():
        yield Check(ReasonCode.BAD_INPUT, State.BROKEN if is_final else State.OPEN, text)


def _requests(target: Target, plan: Plan, facts: Facts) -> Check | None:
    if not any(each.metric_gates for each in plan.stages):
        return None
    if facts.too_few is None:
        text = "Whether there are enough requests for the gates is asked before the first change."
        if facts.is_asked:
            text = f"How many requests {target.service} gets is not known yet; the looks will tell."
        return Check(ReasonCode.TOO_FEW_REQUESTS, State.OPEN, text)
    if facts.too_few:
        return Check(ReasonCode.TOO_FEW_REQUESTS, State.BROKEN, facts.too_few)
    many = f"{target.service} gets about {round(facts.per_hour or 0):,} requests an hour"
    splits = [each.splits[target.service] for each in plan.stages if each.metric_gates]
    if any(split.matches and not split.share(target.candidate) for split in splits):
        text = f"{many}; how many of them are matched is seen when the release runs."
        return Check(ReasonCode.TOO_FEW_REQUESTS, State.HOLDS, text)
    return Check(ReasonCode.TOO_FEW_REQUESTS, State.HOLDS, f"{many}: enough for the gates.")


def _exposed(split: Split, candidate: str) -> Decimal:
    """The percent of requests, or of their copies, that reach the candidate."""
    mirrored = split.mirror.percent if split.mirror and split.mirror.to == candidate else Decimal(0)
    return max(split.share(candidate), mirrored)


def _pods(count: int) -> str:
    return f"{count} ready pod{'s' if count != 1 else ''}"
