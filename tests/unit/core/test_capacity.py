"""An increase waits for its pods, says so, and goes on by itself; a baseline that shrinks is told."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from strategies import capacity
from strategies.capacity import pods_for
from strategies.effects import Audience, RefreshCard, Say, SetCapacity, SetRoute, Urgency
from strategies.events import CapacityLacked, ClusterChanged, Prepared, RouteConfirmed, WakeReached
from strategies.release import AtDeadline, Phase, Release, Rules
from strategies.routing import Match, Mirror, Split
from tests.builders import NOW, a_release
from tests.unit.core.events_of import PASSES, a_look, in_phase, kinds, moved, said

HUNDRED, HOUR = Decimal(100), timedelta(hours=1)
LACKS = "v2 has 1 ready pod and needs 2 for its share; it is being scaled up."


def shifting(rules: Rules | None = None) -> Release:
    """A release whose split is wanted and not written yet."""
    release = replace(in_phase(Phase.SHIFTING), confirmed=frozenset(), written=-1, wake_at=None)
    return replace(release, rules=rules or release.rules)


def lacked(release: Release, after: timedelta = timedelta(0)) -> CapacityLacked:
    """Too few pods for the present split."""
    return CapacityLacked(release.id, f"c:{after}", release.split_revision, LACKS)


@pytest.mark.parametrize(
    ("share", "size", "percent", "pods"),
    [
        (5, 3, 100, 1),
        (34, 3, 100, 2),
        (100, 3, 100, 3),
        (50, 10, 50, 3),
        (100, 3, 0, 1),
        (0, 3, 100, 0),
        (25, 4, 200, 2),
    ],
)
def test_a_share_takes_its_part_of_the_baselines_pods(share: int, size: int, percent: int, pods: int) -> None:
    split = Split.between("v1", "v2", Decimal(share))
    assert pods_for(split, "v2", size, Decimal(percent)) == pods


def test_copies_take_pods_as_requests_do_and_a_match_takes_one_at_least() -> None:
    alone = {"v1": HUNDRED}
    assert pods_for(Split(alone, mirror=Mirror("v2", Decimal(50))), "v2", 4, HUNDRED) == 2
    assert pods_for(Split(alone, matches=(Match("header:x-beta", "v2", exact="1"),)), "v2", 4, HUNDRED) == 1


def test_an_increase_without_pods_is_not_written_and_says_how_many_are_missing() -> None:
    release = shifting()
    decision = moved(release, lacked(release))
    assert (decision.release.note, decision.release.phase) == (LACKS, Phase.SHIFTING)
    assert (decision.release.wake_at, kinds(decision)) == (NOW + timedelta(seconds=5), ["RefreshCard"])


def test_the_pods_are_looked_for_again_and_the_evidence_is_due_from_then_on() -> None:
    release = moved(shifting(), lacked(shifting())).release
    due = release.wake_at
    assert due is not None
    again = moved(release, WakeReached(release.id, "w", due), due)
    assert again.effects == (SetRoute(release.id, "shop/reviews"),)
    assert (again.release.stage_began_at, again.release.retry_at) == (due, None)
    written = moved(again.release, RouteConfirmed(release.id, "r", "shop/reviews", release.revision), due)
    assert written.release.is_confirmed


def test_pods_that_change_are_looked_for_at_once() -> None:
    release = moved(shifting(), lacked(shifting())).release
    changed = moved(release, ClusterChanged(release.id, "c"), NOW + timedelta(seconds=1))
    assert changed.effects == (SetRoute(release.id, "shop/reviews"),)
    assert changed.release.retry_at is None
    assert moved(shifting(), ClusterChanged(release.id, "c")).effects == ()


def test_an_increase_is_tried_again_at_its_deadline_and_ever_less_often() -> None:
    for after, again in ((0, 5), (60, 60), (1200, 600)):
        now = NOW + timedelta(seconds=after)
        waiting = moved(shifting(), lacked(shifting()), now).release
        assert waiting.wake_at == now + timedelta(seconds=again)


def test_people_are_told_once_that_an_increase_holds() -> None:
    release, late = shifting(), NOW + timedelta(minutes=31)
    told = moved(release, lacked(release), late)
    assert said(told)[0].text == (f"reviews-1 holds before 5 %: {LACKS} It is tried again; roll back to call it off.")
    assert said(moved(told.release, lacked(release, timedelta(1)), late + timedelta(hours=1))) == []


def test_a_profile_that_goes_back_at_the_deadline_does_so_without_pods_too() -> None:
    release = shifting(Rules(at_deadline=AtDeadline.ROLL_BACK))
    assert moved(release, lacked(release), NOW + timedelta(minutes=31)).release.phase is Phase.ROLLING_BACK


def test_what_was_found_of_an_earlier_split_says_nothing() -> None:
    release = replace(shifting(), revision=7, split_revision=7)
    old = CapacityLacked(release.id, "c", 6, LACKS)
    assert moved(release, old).release.note == release.note


@pytest.mark.parametrize("scale", [True, False])
def test_a_baseline_that_shrinks_is_told_once_and_held_where_the_profile_allows(scale: bool) -> None:
    release = replace(in_phase(Phase.OBSERVING), sizes={"shop/reviews-v1": 3}, rules=Rules(scale=scale))
    fewer = replace(a_look(release, PASSES, NOW), baseline_ready=2)
    told = moved(release, fewer)
    assert [line.text[:51] for line in said(told)] == ["v1 has 2 of the 3 ready pods it began with; a rollb"]
    assert (SetCapacity(release.id) in told.effects) is scale
    later = NOW + timedelta(seconds=15)
    assert said(moved(told.release, replace(a_look(release, PASSES, later), baseline_ready=2), later)) == []


def test_an_autoscaler_that_goes_up_and_down_is_held_each_time_and_told_once() -> None:
    release = replace(in_phase(Phase.OBSERVING), sizes={"shop/reviews-v1": 3}, rules=Rules(scale=True))
    texts, held = [], 0
    for number, ready in enumerate((2, 3, 2, 3, 2, 1, 3, 1, 2)):
        at = NOW + number * timedelta(seconds=15)
        decision = moved(release, replace(a_look(release, PASSES, at), baseline_ready=ready), at)
        release, held = decision.release, held + (SetCapacity(release.id) in decision.effects)
        texts += [line.text[:33] for line in said(decision)]
    assert texts == ["v1 has 2 of the 3 ready pods it b", "v1 has 1 of the 3 ready pods it b"]
    assert held == 4


def test_sizes_are_set_at_the_start_and_given_back_at_the_end_where_scaling_is_allowed() -> None:
    rules = Rules(scale=True, soak=timedelta(0))
    preparing = a_release(phase=Phase.PREPARING, rules=rules)
    begun = moved(preparing, Prepared("reviews-1", "p", {"shop/reviews/http/main": "{}"}, {}, {"shop/reviews-v1": 3}))
    assert (begun.release.sizes, kinds(begun)[-1]) == ({"shop/reviews-v1": 3}, "SetCapacity")
    soaked = replace(in_phase(Phase.SOAKING), rules=rules, stage=3)
    done = moved(soaked, WakeReached(soaked.id, "w", soaked.wake_at or NOW), soaked.wake_at or NOW)
    assert (done.release.phase, kinds(done)[-1]) == (Phase.COMPLETED, "SetCapacity")


def began_with(size: int, **changes: object) -> Release:
    """A release whose baseline had so many pods at its start, seen at the last look."""
    release = replace(in_phase(Phase.OBSERVING), sizes={"v1": size}, baseline_ready=size, hold_until=NOW + 2 * HOUR)
    return replace(release, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("had", "have", "tells"),
    [(3, 3, False), (3, 2, True), (None, 2, True), (4, 2, True), (2, 2, False), (2, 1, False), (3, None, False)],
)
def test_a_baseline_is_told_to_have_shrunk_when_it_crosses_its_size(
    had: int | None, have: int | None, tells: bool
) -> None:
    release = began_with(3, baseline_ready=had, verdicts=PASSES)
    decision = moved(release, replace(a_look(release, PASSES), baseline_ready=have))
    text = f"v1 has {have} of the 3 ready pods it began with; a rollback would land on them."
    assert [line.text for line in said(decision)] == ([text] if tells else [])
    assert (decision.why, decision.is_notable) == ((text, True) if tells else ("", False))


def test_a_baseline_that_sluice_may_scale_is_pinned_to_its_size() -> None:
    release = began_with(3, rules=Rules(scale=True), verdicts=PASSES)
    decision = moved(release, replace(a_look(release, PASSES), baseline_ready=2))
    assert SetCapacity(release.id) in decision.effects
    assert said(decision)[0].text.endswith(" It is scaled up again.")
    unchanged = moved(replace(release, rules=Rules()), replace(a_look(release, PASSES), baseline_ready=2))
    assert SetCapacity(release.id) not in unchanged.effects


@pytest.mark.parametrize(("before", "tells"), [(timedelta(seconds=1), False), (timedelta(0), True)])
def test_missing_pods_are_told_at_the_deadline_to_those_who_can_help(before: timedelta, tells: bool) -> None:
    release = shifting()
    at = release.entered_at + release.rules.deadline - before
    decision = capacity.lacked(release, lacked(release), at)
    lines = [effect for effect in decision.effects if isinstance(effect, Say)]
    assert [line.audience for line in lines] == ([Audience.REQUESTER_AND_ON_CALL] if tells else [])
    assert (decision.release.reminded, decision.is_notable) == (tells, True)
    assert decision.effects[0] == RefreshCard(release.id, Urgency.STAGE)


def test_at_the_deadline_the_profile_may_ask_for_the_way_back_and_people_hear_of_it() -> None:
    release = shifting(Rules(at_deadline=AtDeadline.ROLL_BACK))
    decision = capacity.lacked(release, lacked(release), release.entered_at + release.rules.deadline)
    assert decision.release.phase is Phase.ROLLING_BACK
    assert [effect.audience for effect in decision.effects if isinstance(effect, Say)] == [
        Audience.REQUESTER_AND_ON_CALL
    ]


def test_looking_for_pods_again_is_not_worth_a_line_in_the_journal() -> None:
    decision = capacity.again(replace(shifting(), retry_at=NOW), NOW)
    assert (decision.is_notable, decision.release.retry_at, decision.release.stage_began_at) == (False, None, NOW)
