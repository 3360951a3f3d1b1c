"""The one door to judging looks: readings and memories in, verdicts and memories out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from strategies.gates import levels, measures, odds, past, sequential, split, thresholds
from strategies.gates.evidence import Evidence, Names, evidence
from strategies.gates.figures import count, span
from strategies.gates.memory import ERRORS, Memory, keep, recall
from strategies.gates.remarks import aside, remarked
from strategies.gates.steered import Aim, judge_aim
from strategies.gates.trial import Finding
from strategies.plan import Kind, MetricGate
from strategies.routing import Steering
from strategies.verdicts import Outcome, Reading, Verdict

REQUESTS = "requests"
SPANS = "This look spans the change of the split and is not counted; the next one is."


@dataclass(frozen=True, slots=True)
class Case:
    """One look to judge: what the stage asks, what was read, and what the judge kept from the look before.

    `asked` is the candidate's wanted share, 0 to 1, None where it is not known beforehand: then `aim` says what is
    asked instead. `memory` is empty at a release's start, afterwards what `Judgement.memory` gave. `past` is what was
    read before the release, in the text form of `strategies.gates.past`; empty when nothing was. The names serve
    sentences and `reading.ready`.
    `is_due` says that the stage's deadline has passed, `stages` how many the plan has: at the first such look all that
    was counted is tested once more, exactly.
    `proven` are the levels whose replay of the baseline against itself has passed: they alone may roll back.
    """

    gates: tuple[MetricGate, ...]
    min_requests: int
    asked: float | None
    stage: int
    reading: Reading
    memory: str = ""
    baseline: str = "baseline"
    candidate: str = "candidate"
    aim: Aim | None = None
    past: str = ""
    proven: frozenset[str] = frozenset()
    counted: str = "request"
    is_due: bool = False
    stages: int = 1

    @property
    def floor(self) -> float | None:
        """The least share that the candidate was asked to have; None where nothing was asked."""
        return self.asked if self.asked is not None else self.aim.least if self.aim else None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdicts in the order split, requests, metrics as the stage lists them; and the memory for the next look."""

    verdicts: tuple[Verdict, ...]
    memory: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """A case on its way through the judges; `weighings` holds the gates whose evidence adds up, by metric."""

    case: Case
    names: Names
    seen: Evidence
    memory: Memory
    weighings: dict[str, odds.Weighing] = field(default_factory=dict)


_GRAVITY = {Outcome.PASS: 0, Outcome.WAIT: 1, Outcome.FAIL: 2}


def evaluate(cases: Sequence[Case]) -> list[Judgement]:
    """One judgement per case, in order. Raises ValueError for a metric that no judge knows."""
    entries = [_entered(case) for case in cases]
    weighings = [weighing for entry in entries for weighing in entry.weighings.values()]
    findings = sequential.judge([(weighing.trial, weighing.look) for weighing in weighings])
    by_trial = {id(weighing.trial): finding for weighing, finding in zip(weighings, findings, strict=True)}
    return [_judged(entry, by_trial) for entry in entries]


def _entered(case: Case) -> _Entry:
    thresholds.refuse_unknown(case.gates)
    memory = recall(case.memory).in_stage(case.stage, case.reading.at)
    names = Names(case.baseline, case.candidate, case.counted)
    seen = evidence(case.reading, case.asked, names, is_answering=case.aim is None or case.aim.most > 0)
    seen, memory = measures.measured(case.gates, case.reading, case.asked, names, seen, memory)
    if besides := {} if case.reading.is_mirrored else aside(case.reading):
        seen = replace(seen, tally=replace(seen.tally, counted={**seen.tally.counted, **besides}))
    entry = _Entry(case, names, seen, memory)
    if _unusable(case, seen, names, memory):
        return entry
    seen, memory = _settled(case, seen, memory)
    entry = _Entry(case, names, seen, memory)
    weighed = [gate for gate in case.gates if odds.is_weighed(gate, case.floor)]
    at = (case.reading.at.timestamp(), (case.floor or 0.0) * 100)
    known = past.recall(case.past).metrics if weighed else {}
    for gate in weighed:
        before = odds.Before(memory.odds.get(gate.metric), known.get(gate.metric))
        begun = odds.weighing(gate, odds.ALPHA / len(weighed), seen, before, at)
        if begun is not None:
            entry.weighings[gate.metric] = begun
    return entry


def _settled(case: Case, seen: Evidence, memory: Memory) -> tuple[Evidence, Memory]:
    """The look with its errors that name no version given to whom they belong, as far as the time before tells.

    As many as before are nobody's fault; more than that hold the release. Those that surely began with our own change
    of the split are the candidate's.
    """
    if case.reading.is_mirrored:
        return seen, memory
    unknown = seen.tally.unknown
    usual = past.recall(case.past).nameless if unknown or memory.nameless.errors else (0.0, 0.0)
    state = memory.nameless.after(unknown, seen.seconds, usual)
    if not state.is_comparable(usual):
        return seen, replace(memory, nameless=state)
    if not state.is_ours or not case.floor:
        return seen.blaming(0), replace(memory, nameless=state)
    return seen.blaming(state.unsettled), replace(memory, nameless=replace(state, settled=state.errors))


def _judged(entry: _Entry, findings: Mapping[int, Finding]) -> Judgement:
    case, names, seen, memory = entry.case, entry.names, entry.seen, entry.memory
    unusable = _unusable(case, seen, names, memory)
    if unusable:
        return Judgement(_all_wait(case, unusable), keep(memory))
    memory = replace(memory, stage_total=memory.stage_total.plus(seen.tally))
    verdicts = []
    if case.asked is not None:
        verdict, memory = split.judge_split(seen, case.asked, names, memory)
        verdicts.append(verdict)
    elif case.aim is not None:
        verdicts.append(judge_aim(case.aim, memory.stage_total, case.reading, names))
    verdicts.append(_requests(case, seen, memory))
    found = {metric: findings[id(weighing.trial)] for metric, weighing in entry.weighings.items()}
    found = odds.together(found, entry.weighings)
    if case.is_due and memory.tested < case.stage and entry.weighings:
        found, memory = odds.at_deadline(found, entry.weighings, case.stages), replace(memory, tested=case.stage)
    for gate in case.gates:
        weighing = entry.weighings.get(gate.metric)
        if gate.measured is Kind.GAUGE:
            verdict, memory = levels.judge_level(gate, seen, names, memory, _conditions(entry, gate))
        elif weighing is None:
            verdict, memory = thresholds.judge_metric(gate, seen, names, memory)
        else:
            verdict = odds.verdict(weighing, found[gate.metric], memory.stage_total)
            memory = memory.with_odds(gate.metric, weighing.kept())
            verdict, memory = _limited(_heard(verdict, seen), gate, entry, memory)
        verdicts.append(remarked(verdict, gate, memory, case.reading.resets))
    return Judgement(tuple(verdicts), keep(memory))


def _heard(verdict: Verdict, seen: Evidence) -> Verdict:
    """The verdict, with the reason why this look said nothing of its metric."""
    trouble = seen.troubles.get(verdict.gate, "")
    if not trouble or verdict.outcome is Outcome.FAIL:
        return verdict
    return replace(verdict, outcome=Outcome.WAIT, reason=trouble, missing="data")


def _conditions(entry: _Entry, gate: MetricGate) -> levels.Conditions:
    ready, seconds, tally = entry.case.reading.ready, entry.seen.seconds, entry.seen.tally
    names = (entry.names.baseline, entry.names.candidate)
    before = past.recall(entry.case.past).levels.get(gate.metric)
    loads = None
    if ready is not None and seconds > 0 and all(ready.get(name) for name in names):
        theirs, ours = (arm.requests / seconds / ready[name] for arm, name in zip(tally.of(ERRORS), names, strict=True))
        loads = (theirs, ours)
    may_fail = gate.metric in entry.case.proven or (before is not None and before.has_passed)
    return levels.Conditions(entry.case.asked, loads, before.long_run if before else None, may_fail)


def _limited(verdict: Verdict, gate: MetricGate, entry: _Entry, memory: Memory) -> tuple[Verdict, Memory]:
    """The verdict with the gate's absolute limit asked besides; the graver of both stands."""
    if gate.limit is None:
        return verdict, memory
    bounded = replace(gate, allowed=None, tolerated=None)
    absolute, memory = thresholds.judge_metric(bounded, entry.seen, entry.names, memory)
    graver = max(verdict, absolute, key=lambda each: _GRAVITY[each.outcome])
    return (verdict if graver.outcome is verdict.outcome else graver), memory


def _unusable(case: Case, seen: Evidence, names: Names, memory: Memory) -> str:
    """Why nothing of this look counts; empty when it does."""
    if case.reading.is_mirrored and not case.reading.trouble and not seen.has_candidate:
        return f"No copy has reached {names.candidate} yet, or its pods were not scraped."
    if not seen.is_complete:
        return case.reading.trouble or f"No data of {seen.silent(names)} in this look."
    # A change of weights itself makes errors, and its look mixes two splits. Decided by the clock, not by the figures.
    if memory.began is not None and case.reading.since < memory.began:
        return SPANS
    return ""


def _all_wait(case: Case, reason: str) -> tuple[Verdict, ...]:
    names = [*([split.GATE] if case.floor is not None else []), REQUESTS, *(gate.metric for gate in case.gates)]
    units = {split.GATE: "ratio", REQUESTS: "requests"} | {gate.metric: gate.unit for gate in case.gates}
    missing = "a counted look" if reason == SPANS else "data"
    return tuple(Verdict(name, Outcome.WAIT, reason, unit=units[name], missing=missing) for name in names)


def _took(case: Case) -> str:
    return "got copies of" if case.aim is not None and case.aim.steering is Steering.MIRROR else "answered"


def _requests(case: Case, seen: Evidence, memory: Memory) -> Verdict:
    """Did this stage alone see requests enough; says how many are missing and about how long they take."""
    total = memory.stage_total
    verdict = Verdict(
        REQUESTS,
        Outcome.PASS,
        f"{case.candidate} {_took(case)} {count(total.candidate.requests, case.counted)} in this stage"
        + (f"; {case.min_requests:,} asked." if case.min_requests else "."),
        baseline=float(total.baseline.requests),
        candidate=float(total.candidate.requests),
        bound=float(case.min_requests),
        unit="requests",
    )
    lacking = case.min_requests - total.candidate.requests
    if lacking <= 0:
        return verdict
    rate = seen.tally.candidate.requests / seen.seconds if seen.seconds > 0 else 0.0
    estimate = f"about {span(lacking / rate)} at this rate" if rate else "none are coming now"
    missing = f"{lacking:,} more ({estimate})"
    reason = f"{total.candidate.requests:,} of {count(case.min_requests, case.counted)}; {missing}."
    return replace(verdict, outcome=Outcome.WAIT, reason=reason, missing=missing)
