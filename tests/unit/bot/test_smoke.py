"""A smoke test decides a preview: asked once the route is settled, its answer moves the release or takes it back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.answerers import SmokeAnswer
from bot.errors import Transient
from bot.smoke import SmokeTests
from strategies import blue_green, moves
from strategies.effects import AskSmoke
from strategies.events import EffectFailed, LookTaken, Prepared, ResumeRequested, RouteConfirmed, SmokeAnswered
from strategies.plan import Plan, StrategyName
from strategies.release import Phase, Release
from strategies.verdicts import Outcome
from tests.builders import NOW, a_verdict
from tests.fakes import FakeSmoke
from tests.unit.bot.house import House
from tests.unit.core.events_of import ALICE, in_phase, kinds, moved
from tests.unit.strategies.specs import a_spec

URL = "https://smoke.example/run"
LATER = NOW + timedelta(seconds=20)


def a_preview(phase: Phase = Phase.SHIFTING) -> Release:
    """A blue-green release at its preview, which a smoke test decides."""
    plan = blue_green.plan(a_spec(StrategyName.BLUE_GREEN, smoke=URL))
    assert isinstance(plan, Plan)
    return replace(in_phase(phase, plan), verdicts=(), hold_until=None)


def answered(release: Release, *, is_passed: bool) -> SmokeAnswered:
    return SmokeAnswered(release.id, "s", release.stage, release.split_revision, is_passed, "said so")


def a_look(release: Release, *verdicts: Outcome) -> LookTaken:
    said = tuple(a_verdict(outcome, f"metric{n}") for n, outcome in enumerate(verdicts))
    return LookTaken(release.id, "l", LATER, release.stage, said, "{}", 2)


def test_the_test_is_asked_when_the_preview_is_read_back() -> None:
    written = replace(a_preview(), confirmed=frozenset(), written=-1)
    decision = moved(written, RouteConfirmed(written.id, "c", "shop/reviews", written.split_revision))
    assert AskSmoke(written.id, 0) in decision.effects


def test_a_stage_without_traffic_of_others_waits_for_the_test_alone() -> None:
    release = moved(a_preview(), a_look(a_preview(), Outcome.WAIT, Outcome.WAIT), LATER).release
    assert release.phase is Phase.OBSERVING
    assert [(each.gate, each.outcome) for each in release.verdicts] == [("smoke", Outcome.WAIT)]
    assert release.note == "waiting for the smoke test of v2"
    assert "smoke: its answer" in moves.missing(release, LATER)


def test_a_yes_puts_the_switch_to_the_approvers() -> None:
    release = replace(a_preview(Phase.OBSERVING), last_look_at=NOW)
    decision = moved(release, answered(release, is_passed=True))
    assert decision.release.phase is Phase.AWAITING_APPROVAL


def test_a_no_takes_the_preview_back() -> None:
    release = a_preview(Phase.OBSERVING)
    decision = moved(release, answered(release, is_passed=False))
    assert (decision.release.phase, decision.release.note) == (Phase.ROLLING_BACK, "said so")


def test_a_no_is_heard_while_the_release_is_stuck() -> None:
    release = replace(a_preview(Phase.STUCK), resume_to=Phase.OBSERVING)
    assert moved(release, answered(release, is_passed=False)).release.phase is Phase.ROLLING_BACK
    assert moved(release, answered(release, is_passed=True)).release.smoke is not None


def test_metrics_of_the_few_requests_may_still_prove_harm() -> None:
    release = a_preview(Phase.OBSERVING)
    assert moved(release, a_look(release, Outcome.FAIL), LATER).release.phase is Phase.ROLLING_BACK


def test_an_answer_of_an_earlier_split_and_a_second_one_say_nothing() -> None:
    release = replace(a_preview(Phase.OBSERVING), split_revision=3)
    early = SmokeAnswered(release.id, "s", 0, 2, is_passed=False, text="too early")
    assert moved(release, early).release.phase is Phase.OBSERVING
    passed = moved(release, answered(release, is_passed=True)).release
    assert kinds(moved(passed, answered(passed, is_passed=False))) == []


@pytest.mark.parametrize("before", [Phase.OBSERVING, Phase.AWAITING_APPROVAL])
def test_a_test_that_never_answered_is_loud_and_is_asked_again_by_whoever_resumes(before: Phase) -> None:
    release = a_preview(before)
    stuck = moved(release, EffectFailed(release.id, "f", "AskSmoke", "The smoke test did not answer.")).release
    assert (stuck.phase, stuck.note) == (Phase.STUCK, "The smoke test did not answer.")
    assert AskSmoke(release.id, 0) in moved(stuck, ResumeRequested(release.id, "r", ALICE)).effects
    passed = moved(stuck, answered(stuck, is_passed=True)).release
    assert "AskSmoke" not in kinds(moved(passed, ResumeRequested(release.id, "r", ALICE)))


def test_the_switch_asks_no_test_and_forgets_the_answer() -> None:
    passed = moved(a_preview(Phase.OBSERVING), answered(a_preview(), is_passed=True)).release
    switched = moves.shift(passed, 1, NOW, "approved").release
    assert switched.smoke is None
    decision = moved(switched, RouteConfirmed(switched.id, "c", "shop/reviews", switched.split_revision))
    assert "AskSmoke" not in kinds(decision)


def test_the_duty_waits_for_the_proxies_asks_once_and_takes_the_answer_in(house: House) -> None:
    release = house.begin(plan=a_preview().plan)
    release = house.decide(Prepared(release.id, "p", {"shop/reviews/http/main": "{}"}))
    release = house.decide(RouteConfirmed(release.id, "c", "shop/reviews", release.revision))
    smoke = FakeSmoke(SmokeAnswer(is_passed=False, text="login is broken"))
    tests = SmokeTests(house.engine, house.clock, smoke)
    with pytest.raises(Transient, match="Proxies learn"):
        tests.ask(AskSmoke(release.id, 0))
    house.clock.tick(seconds=3)
    tests.ask(AskSmoke(release.id, 0))
    [(address, about, key)] = smoke.asked
    assert (address, about["candidate"], about["matches"]) == (URL, "v2", ["header:x-sluice-preview=v2"])
    assert key == f"smoke:{release.id}:0:{release.split_revision}"
    assert house.stored(release.id).phase is Phase.ROLLING_BACK
    tests.ask(AskSmoke(release.id, 0))
    assert len(smoke.asked) == 1


def test_a_write_that_took_its_time_leaves_the_proxies_theirs(house: House) -> None:
    release = house.begin(plan=a_preview().plan)
    release = house.decide(Prepared(release.id, "p", {"shop/reviews/http/main": "{}"}))
    house.clock.tick(seconds=30)
    release = house.decide(RouteConfirmed(release.id, "c", "shop/reviews", release.revision))
    smoke = FakeSmoke(SmokeAnswer(is_passed=True, text="all is well"))
    with pytest.raises(Transient, match="Proxies learn"):
        SmokeTests(house.engine, house.clock, smoke).ask(AskSmoke(release.id, 0))
    assert smoke.asked == []
