"""A split counts when every object carries it; what was read back of an older split never confirms a newer one."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from strategies.amount import wanted
from strategies.effects import PostStage, SetRoute, Urgency
from strategies.events import ApprovalGiven, RollbackRequested, RouteConfirmed
from strategies.release import Phase, Release
from strategies.routing import Protocol, Route
from tests.builders import NOW, a_plan, a_target
from tests.unit.core.events_of import BOB, CAROL, PASSES, a_look, in_phase, kinds, moved, said

ROUTES = (
    Route("shop", "reviews", Protocol.HTTP, "main"),
    Route("shop", "reviews", Protocol.HTTP, "beta"),
    Route("edge", "gateway", Protocol.HTTP, "reviews"),
)


def of_two_objects(phase: Phase = Phase.SHIFTING, **changes: object) -> Release:
    """A release of three routes in two VirtualServices, nothing read back yet."""
    release = replace(in_phase(phase), targets=(a_target(routes=ROUTES),), confirmed=frozenset(), written=-1)
    return replace(release, **changes)  # type: ignore[arg-type]


def read_back(release: Release, name: str, revision: int | None = None) -> RouteConfirmed:
    """The mesh says that this object carries the split of that revision."""
    return RouteConfirmed(release.id, f"c:{name}", name, release.revision if revision is None else revision)


def test_routes_of_one_object_are_one_write() -> None:
    assert of_two_objects().objects == ("shop/reviews", "edge/gateway")


def test_a_split_is_written_when_every_object_carries_it() -> None:
    first = moved(of_two_objects(), read_back(of_two_objects(), "shop/reviews"))
    assert not first.release.is_confirmed
    assert (first.release.written, first.effects) == (-1, ())
    second = moved(first.release, read_back(first.release, "edge/gateway"))
    assert second.release.is_confirmed
    assert second.release.written == 0
    assert second.release.note == "5 % is written, not seen in traffic yet"


@pytest.mark.parametrize("name", ["shop/reviews", "shop/foreign"])
def test_a_twin_or_a_foreign_object_confirms_nothing(name: str) -> None:
    release = of_two_objects(confirmed=frozenset({"shop/reviews"}))
    assert moved(release, read_back(release, name)).release.confirmed == {"shop/reviews"}


def test_what_was_read_back_of_an_older_split_never_confirms_a_newer_one() -> None:
    release = in_phase(Phase.AWAITING_APPROVAL)
    after = moved(release, ApprovalGiven(release.id, "y", BOB, release.revision)).release
    assert moved(after, read_back(after, "shop/reviews", release.revision)).release.confirmed == frozenset()
    assert moved(after, read_back(after, "shop/reviews")).release.is_confirmed


def test_a_split_read_back_during_a_rollback_is_not_the_rollback() -> None:
    release = in_phase(Phase.SHIFTING)
    back = moved(release, RollbackRequested(release.id, "rb", CAROL)).release
    assert moved(back, read_back(back, "shop/reviews", release.revision)).release.phase is Phase.ROLLING_BACK
    assert moved(back, read_back(back, "shop/reviews")).release.phase is Phase.ROLLED_BACK


def test_a_rollback_ends_only_when_every_object_is_back() -> None:
    back = moved(of_two_objects(), RollbackRequested("reviews-1", "rb", CAROL)).release
    half = moved(back, read_back(back, "edge/gateway")).release
    assert half.phase is Phase.ROLLING_BACK
    done = moved(half, read_back(half, "shop/reviews"))
    assert done.release.phase is Phase.ROLLED_BACK
    assert said(done)[0].text == "v1 serves all requests of reviews again."


def test_a_rollback_writes_every_object_before_anything_is_said() -> None:
    decision = moved(of_two_objects(), RollbackRequested("reviews-1", "rb", CAROL, "errors"))
    urgent = [SetRoute("reviews-1", name, Urgency.ROLLBACK) for name in ("shop/reviews", "edge/gateway")]
    assert list(decision.effects[:2]) == urgent
    assert decision.release.overwrites


def test_a_second_rollback_click_is_answered_and_changes_nothing() -> None:
    release = in_phase(Phase.ROLLING_BACK)
    decision = moved(release, RollbackRequested(release.id, "rb2", CAROL))
    assert replace(decision.release, wake_at=release.wake_at) == release
    assert "already" in decision.reply


def test_the_message_of_the_stage_before_learns_that_its_increase_is_applied() -> None:
    release = of_two_objects(stage=1, confirmed=frozenset({"shop/reviews"}))
    decision = moved(release, read_back(release, "edge/gateway"))
    assert PostStage(release.id, 0, Urgency.STAGE) in decision.effects


def test_reading_back_outside_shifting_keeps_the_note() -> None:
    release = of_two_objects(Phase.PAUSED, confirmed=frozenset({"shop/reviews"}), note="paused by Alice")
    assert moved(release, read_back(release, "edge/gateway")).release.note == "paused by Alice"


def test_what_is_wanted_follows_the_stage_and_is_nothing_on_the_way_back() -> None:
    assert in_phase(Phase.PREPARING).wanted("reviews") is None
    assert wanted(in_phase(Phase.PREPARING)) == "0 %"
    split = in_phase(Phase.OBSERVING).wanted("reviews")
    assert split is not None
    assert split.share("v2") == Decimal(5)
    assert replace(in_phase(Phase.STUCK), resume_to=Phase.ROLLING_BACK).wanted("reviews") is None


def test_a_release_knows_its_next_stage_until_the_last() -> None:
    release = in_phase(Phase.OBSERVING)
    assert release.following == release.plan.stages[1]
    assert replace(release, stage=3).following is None


def test_going_on_without_a_question_shows_the_stage_that_was_left() -> None:
    release = replace(in_phase(Phase.AWAITING_APPROVAL), plan=a_plan())
    decision = moved(release, ApprovalGiven(release.id, "y", BOB, release.revision))
    assert kinds(decision) == ["SetRoute", "PostStage", "RefreshCard"]


def test_what_was_seen_of_the_split_before_says_nothing_of_the_new_one() -> None:
    waiting = replace(in_phase(Phase.SHIFTING), stage=1, written=0, confirmed=frozenset(), verdicts=PASSES)
    confirmed = RouteConfirmed(waiting.id, "confirmed", "shop/reviews", waiting.revision)
    written = moved(waiting, confirmed).release
    late = replace(a_look(written, PASSES, NOW + timedelta(minutes=1)), stage=0)
    assert (written.phase, written.verdicts, written.in_force) == (Phase.SHIFTING, (), 1)
    assert moved(written, late).release.phase is Phase.SHIFTING
    assert moved(written, replace(late, stage=1)).release.phase is Phase.OBSERVING
