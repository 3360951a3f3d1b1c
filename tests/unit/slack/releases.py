"""Releases in every phase, with names that try to break a message."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from bot.ports import Card, Look
from strategies.plan import ApprovalGate
from strategies.release import Approval, Drift, Phase, Release
from strategies.routing import Split
from strategies.verdicts import Outcome, Verdict
from tests.builders import NOW, a_plan, a_reading, a_release, a_stage, a_target, a_verdict, an_actor

NASTY = "<!channel> & `code` ```fence``` *bold* <http://evil|ok> \x00\u2028" + "ü🟥" * 2000


def a_card(release: Release, *looks: Look, **changes: object) -> Card:
    card = Card(release, NOW, "prod-eu", looks, {"dashboard": "https://grafana.example/d/1?a=b&c=d"})
    return replace(card, **changes)  # type: ignore[arg-type]


def a_look(stage: int = 1, *verdicts: Verdict) -> Look:
    return Look(NOW - timedelta(seconds=5), stage, a_reading(NOW), verdicts or (a_verdict(),))


def in_phase(phase: Phase, **changes: object) -> Release:
    """A release at 25 % in this phase, written and confirmed."""
    release = a_release(
        phase=phase,
        stage=1,
        revision=7,
        written=1,
        confirmed=frozenset({"shop/reviews"}),
        originals={"shop/reviews/http/main": "{}"},
        stage_began_at=NOW - timedelta(minutes=12),
        verdicts=(
            a_verdict(),
            a_verdict(Outcome.PASS, "latency_p99", unit="ms", baseline=41.0, candidate=44.0, bound=45.1),
        ),
        note="25 % of requests measured at v2",
    )
    return replace(release, **changes)  # type: ignore[arg-type]


def asking(**changes: object) -> Release:
    return in_phase(Phase.AWAITING_APPROVAL, asked_at=NOW - timedelta(minutes=1), **changes)


def drifted(share: int | None = 60) -> Release:
    """Somebody gave the candidate that share; None: something that is no split of the two versions."""
    split = None if share is None else Split.between("v1", "v2", Decimal(share))
    drift = Drift("shop/reviews", "- weight: 25\n+ weight: 60", "kubectl-edit", split)
    return in_phase(Phase.PAUSED, drift=drift, resume_to=Phase.OBSERVING)


def approved(**changes: object) -> Release:
    """The 25 % stage was approved by Bob; 50 % is being written."""
    yes = Approval(an_actor("U2", name="bob"), 1, 7, NOW - timedelta(minutes=3), "looks fine")
    moving = in_phase(Phase.SHIFTING, stage=2, revision=8, approvals=(yes,), confirmed=frozenset(), verdicts=())
    return replace(moving, **changes)  # type: ignore[arg-type]


def every_release() -> list[Release]:
    """Each phase, plain and at its ugliest."""
    plain = [in_phase(phase) for phase in Phase]
    early = [in_phase(phase, stage=-1, verdicts=()) for phase in (Phase.SCHEDULED, Phase.PREPARING, Phase.PAUSED)]
    late = [in_phase(phase, stage=3) for phase in Phase]
    failing = [in_phase(phase, verdicts=(a_verdict(Outcome.FAIL), a_verdict(Outcome.WAIT))) for phase in Phase]
    timed = [
        in_phase(Phase.SCHEDULED, stage=-1, starts_at=NOW + timedelta(hours=20)),
        in_phase(Phase.OBSERVING, hold_until=NOW + timedelta(minutes=4)),
        in_phase(Phase.OBSERVING, not_before=NOW + timedelta(minutes=4)),
        in_phase(Phase.SOAKING, stage=3, soak_until=NOW + timedelta(minutes=4)),
        in_phase(Phase.STUCK, resume_to=Phase.ROLLING_BACK),
    ]
    return [*plain, *early, *late, *failing, *timed, drifted(), asking(), approved(), *[ugly(phase) for phase in Phase]]


def ugly(phase: Phase) -> Release:
    """Thirty stages, forty verdicts, and outside strings of every kind and length."""
    target = a_target("reviews" * 30, baseline="v1" * 25, candidate="v2" * 25, namespace=NASTY)
    shares = [Decimal(n * 3) for n in range(1, 30)] + [Decimal(100)]
    splits = [Split.between(target.baseline, target.candidate, share) for share in shares]
    stages = tuple(a_stage(splits={target.service: split}, gates=(ApprovalGate(3),)) for split in splits)
    return in_phase(
        phase,
        targets=(target,),
        plan=replace(a_plan(), stages=stages),
        note=NASTY,
        verdicts=tuple(a_verdict(list(Outcome)[n % 3], NASTY, reason=NASTY, missing=NASTY) for n in range(40)),
        approvals=tuple(Approval(an_actor(f"U{n}", name=NASTY), 1, 7, NOW, NASTY) for n in range(30)),
        requester=an_actor("U9", name=NASTY),
        drift=Drift(NASTY, NASTY, NASTY, None) if phase is Phase.PAUSED else None,
        asked_at=NOW,
    )
