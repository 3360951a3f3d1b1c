"""A shadow and a pipeline walk through the machine: what they say, and where they end."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot import orders
from bot.looks import is_looked_at
from strategies import amount, moves, pipeline, shadow
from strategies.decision import Decision
from strategies.effects import CallOnCall, PostStage, Urgency
from strategies.events import DriftChoice, DriftFound, DriftResolved, LookTaken, RollbackRequested, RouteConfirmed
from strategies.machine import decide
from strategies.plan import Approve, Plan, SideEffects, Spec, StrategyName
from strategies.reasons import Refused
from strategies.release import Drift, Phase, Release
from strategies.routing import Match, Mirror
from strategies.verdicts import Verdict
from tests.builders import NOW, a_release
from tests.unit.core.events_of import BOB, CAROL, PASSES, in_phase, moved, said

SPEC = Spec(
    StrategyName.SHADOW, "reviews", "v1", "v2", (Decimal(10), Decimal(50)), timedelta(minutes=1), Approve.NONE,
    side_effects=SideEffects.NONE, matches=(),
)  # fmt: skip


def a_shadow(stage: int, phase: Phase) -> Release:
    plan = shadow.plan(SPEC)
    assert isinstance(plan, Plan)
    return replace(in_phase(phase, plan), stage=stage, written=stage, hold_until=NOW)


def looked(release: Release, verdicts: tuple[Verdict, ...] = PASSES, ready: int = 2) -> Decision:
    at = NOW + timedelta(minutes=2)
    return moved(release, LookTaken(release.id, f"l{ready}", at, release.stage, verdicts, candidate_ready=ready), at)


def confirmed(release: Release) -> Decision:
    return moved(release, RouteConfirmed(release.id, "c", "shop/reviews", release.split_revision))


def test_a_shadow_ends_by_the_original_fields_and_is_complete_when_they_are_read_back() -> None:
    leaving = looked(a_shadow(1, Phase.OBSERVING)).release
    assert (leaving.phase, leaving.stage, leaving.is_leaving) == (Phase.SHIFTING, 2, True)
    assert leaving.note == "taking away what mirrors requests to v2"
    [order] = orders.orders(leaving, "shop/reviews")
    assert order.split is None
    assert not is_looked_at(leaving)
    decision = confirmed(leaving)
    assert decision.release.phase is Phase.COMPLETED
    assert PostStage("reviews-1", 1, Urgency.STAGE) in decision.effects  # it said "applying" until now
    assert said(decision)[0].text == (
        "reviews-1 is complete: the shadow of v2 is over, v1 serves all requests as before."
    )


def test_a_shadow_whose_route_somebody_deleted_does_not_say_that_it_serves_as_before() -> None:
    leaving = looked(a_shadow(1, Phase.OBSERVING)).release
    gone = RouteConfirmed(leaving.id, "c", "shop/reviews", leaving.split_revision, is_gone=True)
    decision = moved(leaving, gone)
    assert decision.release.phase is Phase.COMPLETED
    assert said(decision) == []
    [call] = [effect for effect in decision.effects if isinstance(effect, CallOnCall)]
    assert "Its end found no VirtualService shop/reviews: somebody deleted it." in call.text
    assert "as before" not in call.text


def test_a_shadow_never_soaks_and_never_retires_the_baseline() -> None:
    rules = replace(in_phase(Phase.OBSERVING).rules, soak=timedelta(hours=1))
    leaving = looked(replace(a_shadow(1, Phase.OBSERVING), rules=rules)).release
    assert confirmed(leaving).release.phase is Phase.COMPLETED


def test_copies_without_a_pod_wait_and_are_no_harm() -> None:
    release = replace(a_shadow(0, Phase.OBSERVING), unready_looks=1)
    decision = looked(release, ready=0)
    assert (decision.release.phase, decision.release.unready_looks) == (Phase.OBSERVING, 2)
    assert "v2 has no ready pod" in moves.missing(decision.release, NOW + timedelta(minutes=2))


def test_a_group_without_a_pod_is_harm() -> None:
    spec = replace(SPEC, strategy=StrategyName.AB, matches=(Match("header:x-beta", "v2", exact="1"),),
                   approve=Approve.EVERY)  # fmt: skip
    plan = pipeline.plan([spec, replace(SPEC, strategy=StrategyName.CANARY, steps=(Decimal(100),))])
    assert isinstance(plan, Plan)
    release = replace(in_phase(Phase.OBSERVING, plan), unready_looks=1)
    assert looked(release, ready=0).release.phase is Phase.ROLLING_BACK


@pytest.mark.parametrize(
    ("n", "effect"),
    [
        (0, "Mirror 10 % of the requests of reviews to v2; nobody gets its answers."),
        (2, "End the shadow: v2 gets no request of reviews any more; v1 serves all."),
    ],
)
def test_a_confirm_names_what_a_stage_does(n: int, effect: str) -> None:
    assert amount.effect(a_shadow(0, Phase.OBSERVING), n) == effect


def test_a_switch_of_everybody_at_once_says_so() -> None:
    release = a_release()
    assert amount.effect(release, 1) == "Send 25 % of production traffic of reviews to v2."
    sudden = replace(release, plan=replace(release.plan, strategy=StrategyName.BLUE_GREEN))
    assert amount.effect(sudden, 3) == "Switch 100 % of production traffic of reviews to v2 at once."


def test_a_rollback_of_a_shadow_wants_the_original_fields() -> None:
    release = a_shadow(1, Phase.ROLLING_BACK)
    assert release.wanted("reviews") is None
    assert decide(release, RouteConfirmed(release.id, "c", "shop/reviews", 1), NOW) is not None


def a_group(*steps: int) -> Release:
    """The people of a match get the candidate; then shares of everybody else."""
    spec = replace(SPEC, strategy=StrategyName.AB, steps=tuple(map(Decimal, steps)), approve=Approve.EVERY,
                   matches=(Match("header:x-beta", "v2", exact="1"),))  # fmt: skip
    plan = pipeline.plan([spec, replace(SPEC, strategy=StrategyName.CANARY, steps=(Decimal(100),))])
    assert isinstance(plan, Plan)
    return in_phase(Phase.OBSERVING, plan)


def test_a_confirm_names_the_people_that_a_stage_chooses() -> None:
    release = a_group(10)
    assert amount.effect(release, 0) == "Send requests of reviews to v2: header:x-beta=1. All others stay with v1."
    chosen = release.plan.stages[0].splits["reviews"]
    wider = replace(chosen, weights={"v1": Decimal(90), "v2": Decimal(10)})
    stages = (replace(release.plan.stages[0], splits={"reviews": wider}), *release.plan.stages[1:])
    told = amount.effect(replace(release, plan=replace(release.plan, stages=stages)), 0)
    assert told == "Send 10 % and header:x-beta=1 of production traffic of reviews to v2."


def test_more_copies_found_in_the_route_are_adopted_for_the_present_stage_alone() -> None:
    release = a_shadow(0, Phase.OBSERVING)
    more = replace(release.plan.stages[0].splits["reviews"], mirror=Mirror("v2", Decimal(30)))
    stopped = moved(release, DriftFound(release.id, "d", Drift("shop/reviews", "10 -> 30", "kubectl", more))).release
    answer = DriftResolved(release.id, "c", BOB, DriftChoice.ADOPT, stopped.revision)
    adopted = moved(stopped, answer).release
    assert amount.amounts(adopted) == ("copies of 30 %", "copies of 50 %", "end")


def test_the_last_amount_of_a_shadow_is_its_end() -> None:
    assert amount.amounts(a_shadow(0, Phase.OBSERVING)) == ("copies of 10 %", "copies of 50 %", "end")


def test_a_pipeline_gives_shares_to_everybody_only_in_its_last_part() -> None:
    canary = replace(SPEC, strategy=StrategyName.CANARY, steps=(Decimal(100),))
    found = pipeline.plan([canary, canary])
    assert isinstance(found, Refused)
    assert found.text == "In a pipeline canary comes last; before it may stand ab, blue-green, shadow."


def test_a_pipeline_names_the_part_that_is_refused() -> None:
    found = pipeline.plan([replace(SPEC, side_effects=None), replace(SPEC, strategy=StrategyName.CANARY)])
    assert isinstance(found, Refused)
    assert found.text.startswith("shadow: Mirrored requests run twice.")


def test_a_completed_shadow_left_nothing_to_roll_back() -> None:
    over = confirmed(looked(a_shadow(1, Phase.OBSERVING)).release).release
    decision = moved(over, RollbackRequested(over.id, "rb", CAROL))
    assert decision.release == over
    assert decision.reply == "Nothing of reviews-1 is left in the route; v1 serves all requests."


def test_a_shadow_that_is_taken_back_says_that_nobody_was_answered_by_it() -> None:
    release = replace(a_shadow(1, Phase.ROLLING_BACK), confirmed=frozenset())
    assert said(confirmed(release))[0].text == "v2 gets no copies any more; v1 served everybody throughout."
