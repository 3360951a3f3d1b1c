"""How effects are done through the ports, and which event comes of each."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.dispatch import Dispatch
from bot.duties import Duties, Messages
from bot.errors import Fault, Transient
from bot.mesh.documents import Document
from bot.ports import Picture
from bot.preflight import UNHURRIED
from bot.smoke import SmokeTests
from storage.errors import DatabaseDown
from strategies.effects import (
    Audience,
    CallOnCall,
    PostStage,
    Prepare,
    ReadHistory,
    RefreshCard,
    RetireBaseline,
    Say,
    SetRoute,
    Urgency,
)
from strategies.events import EffectFailed, PauseRequested, Prepared, RollbackRequested
from strategies.gates.course import Course
from strategies.gates.past import recall
from strategies.release import Decommission, Phase, Release, Rules
from tests.builders import a_plan
from tests.fakes import FakeChat, FakeMesh, FakeMetrics, FakeSmoke, unguarded
from tests.mesh_documents import a_destination
from tests.unit.bot.house import House
from tests.unit.core.events_of import ALICE, CAROL

PICTURE = Picture(b"png", "errors over time")


class Crew:
    """Everything that does effects, on one house."""

    def __init__(self, house: House) -> None:
        self.mesh, self.metrics, self.chat = FakeMesh.shop(), FakeMetrics(), FakeChat()
        self.duties = Duties(house.engine, house.clock, self.mesh, self.metrics, unguarded)
        self.messages = Messages(
            house.database, house.clock, self.chat, "test", lambda card: PICTURE, lambda release: {"logs": "https://x"}
        )
        self.smoke = FakeSmoke()
        tests = SmokeTests(house.engine, house.clock, self.smoke)
        self.do = Dispatch(self.duties, self.messages, tests, house.engine)


@pytest.fixture
def crew(house: House) -> Crew:
    """The crew of this house."""
    return Crew(house)


def by_hand(document: Document) -> None:
    """Somebody gives the candidate 40 %."""
    for destination, weight in zip(document["spec"]["http"][0]["route"], (60, 40), strict=True):
        destination["weight"] = weight


def promote(document: Document) -> None:
    """Everything at the candidate, as a promotion leaves it."""
    route = document["spec"]["http"][0]
    route["route"] = [a_destination("v1", 0), a_destination("v2", 100)]


def share(crew: Crew) -> list[int | None]:
    """The weights that the mesh carries now."""
    document = crew.mesh.virtual_service("shop/reviews")
    assert document is not None
    return [destination.get("weight") for destination in document["spec"]["http"][0]["route"]]


def test_the_day_before_is_read_once_beside_the_preparation(house: House, crew: Crew) -> None:
    release = house.begin()
    crew.metrics.courses["errors"] = Course([(6000, 6)] * 1440)
    for _ in range(2):
        crew.do(ReadHistory(release.id))
    assert crew.metrics.pasts == [(timedelta(days=1), UNHURRIED)]
    stored = house.stored(release.id)
    assert stored.phase is Phase.PREPARING
    assert recall(stored.history).metrics["errors"].bursts.is_known
    assert stored.preflight.startswith("At about 360,000 requests an hour every stage can be answered")
    assert [entry.event for entry in house.journal(release.id)] == ["ReleaseRequested"]


def test_a_prometheus_that_is_down_is_asked_again_and_then_nothing_is_known(house: House, crew: Crew) -> None:
    release = house.begin()
    crew.metrics.trouble = "Prometheus is unreachable."
    with pytest.raises(Transient, match="unreachable"):
        crew.do(ReadHistory(release.id))
    crew.do.gave_up(ReadHistory(release.id), "failed:1", "Prometheus is unreachable. (tried for 120 s)")
    stored = house.stored(release.id)
    assert stored.phase is Phase.PREPARING
    assert recall(stored.history).trouble == "Prometheus is unreachable. (tried for 120 s)"
    assert stored.preflight.startswith("The time before the release could not be read: Prometheus is unreachable.")


def test_history_for_a_release_that_is_over_is_not_read(house: House, crew: Crew) -> None:
    crew.do(ReadHistory("gone-1"))
    assert crew.metrics.pasts == []


def test_a_ready_cluster_moves_the_release_on_with_its_originals(house: House, crew: Crew) -> None:
    release = house.begin()
    crew.do(Prepare(release.id))
    stored = house.stored(release.id)
    assert stored.phase is Phase.SHIFTING
    assert set(stored.originals) == {"shop/reviews/http/main"}


def test_a_candidate_that_is_not_ready_blocks_and_is_tried_again(house: House, crew: Crew) -> None:
    crew.mesh.set_ready("v2", 0)
    release = house.begin()
    crew.do(Prepare(release.id))
    stored = house.stored(release.id)
    assert (stored.phase, stored.wake_at) == (Phase.PREPARING, house.clock.now() + timedelta(seconds=5))


def test_what_waiting_does_not_cure_takes_the_release_back(house: House, crew: Crew) -> None:
    crew.mesh.delete("VirtualService", "shop/reviews")
    release = house.begin()
    crew.do(Prepare(release.id))
    assert house.stored(release.id).phase is Phase.ROLLING_BACK


def test_preparing_a_release_that_went_on_meanwhile_asks_nobody(house: House, crew: Crew) -> None:
    release = house.shifted()
    crew.do(Prepare(release.id))
    crew.do(Prepare("gone-1"))
    assert house.stored(release.id) == release


def test_a_written_split_is_confirmed_to_its_release(house: House, crew: Crew) -> None:
    release = house.begin()
    crew.do(Prepare(release.id))
    crew.do(SetRoute(release.id, "shop/reviews"))
    assert house.stored(release.id).is_confirmed
    assert share(crew) == [95, 5]


def test_writing_twice_writes_once(house: House, crew: Crew) -> None:
    release = house.begin()
    crew.do(Prepare(release.id))
    crew.do(SetRoute(release.id, "shop/reviews"))
    crew.do(SetRoute(release.id, "shop/reviews"))
    assert crew.mesh.writes == ["shop/reviews"]


def test_a_write_follows_what_is_wanted_now_and_not_what_was_queued(house: House, crew: Crew) -> None:
    release = house.begin()
    crew.do(Prepare(release.id))
    original = crew.mesh.virtual_service("shop/reviews")
    house.decide(PauseRequested(release.id, "p", ALICE))
    crew.do(SetRoute(release.id, "shop/reviews"))
    crew.do(SetRoute("gone-1", "shop/reviews"))
    assert crew.mesh.writes == []
    assert crew.mesh.virtual_service("shop/reviews") == original


def test_a_rollback_puts_the_original_fields_back_and_ends(house: House, crew: Crew) -> None:
    before = crew.mesh.manifest("shop/reviews")
    release = house.begin()
    crew.do(Prepare(release.id))
    crew.do(SetRoute(release.id, "shop/reviews"))
    house.decide(RollbackRequested(release.id, "rb", CAROL))
    crew.do(SetRoute(release.id, "shop/reviews", Urgency.ROLLBACK))
    assert house.stored(release.id).phase is Phase.ROLLED_BACK
    after = crew.mesh.manifest("shop/reviews")
    assert before is not None
    assert after is not None
    assert after["spec"] == before["spec"]


def test_a_hand_edit_in_the_way_is_reported_and_not_overwritten(house: House, crew: Crew) -> None:
    release = house.begin()
    crew.do(Prepare(release.id))
    crew.do(SetRoute(release.id, "shop/reviews"))
    crew.mesh.edit("VirtualService", "shop/reviews", by_hand)
    crew.do(SetRoute(release.id, "shop/reviews"))
    stored = house.stored(release.id)
    assert stored.phase is Phase.PAUSED
    assert stored.drift is not None
    assert share(crew) == [60, 40]


def test_a_baseline_that_is_still_called_is_not_retired(house: House, crew: Crew) -> None:
    release = replace(house.begin(), phase=Phase.DECOMMISSIONING, stage=3)
    house.save(release)
    crew.mesh.edit("VirtualService", "shop/reviews", promote)
    crew.do(RetireBaseline(release.id))
    stored = house.stored(release.id)
    assert (stored.phase, stored.note, stored.wake_at) == (
        Phase.DECOMMISSIONING,
        "v1 is still called.",
        house.clock.now() + release.rules.look,
    )


def retiring(house: House, crew: Crew, rules: Rules) -> Release:
    """A promoted release whose baseline nobody calls."""
    release = house.begin(rules=rules)
    crew.do(Prepare(release.id))
    promoted = replace(house.stored(release.id), phase=Phase.DECOMMISSIONING, stage=3, confirmed=frozenset())
    house.save(promoted)
    crew.mesh.edit("VirtualService", "shop/reviews", promote)
    crew.metrics.idle["v1"] = (True, "No request in 5 min.")
    return promoted


def test_an_idle_baseline_is_scaled_to_zero_with_the_proof(house: House, crew: Crew) -> None:
    crew.mesh.log_lines = ('Last in the access log of reviews-v1-0: "GET /ratings 200".',)
    release = retiring(house, crew, Rules(decommission=Decommission.SCALE_TO_ZERO))
    crew.do(RetireBaseline(release.id))
    crew.do(RetireBaseline(release.id))
    assert house.stored(release.id).phase is Phase.COMPLETED
    assert house.journal(release.id)[-1].text == (
        "Deployment shop/reviews-v1 was scaled to 0. No request in 5 min.\n"
        'Last in the access log of reviews-v1-0: "GET /ratings 200".'
    )


def test_a_rollback_after_promotion_scales_up_first_and_then_writes(house: House, crew: Crew) -> None:
    before = crew.mesh.manifest("shop/reviews")
    release = retiring(house, crew, Rules(decommission=Decommission.SCALE_TO_ZERO))
    for _ in range(2):
        crew.do(RetireBaseline(release.id))
    house.decide(RollbackRequested(release.id, "rb", CAROL))
    crew.mesh.writes.clear()
    with pytest.raises(Transient, match="v1 is scaled up first"):
        crew.do(SetRoute(release.id, "shop/reviews", Urgency.ROLLBACK))
    assert (crew.mesh.writes, house.stored(release.id).waits_for[:15]) == ([], "v1 is scaled up")
    crew.do(SetRoute(release.id, "shop/reviews", Urgency.ROLLBACK))
    assert house.stored(release.id).phase is Phase.ROLLED_BACK
    assert (crew.mesh.ready_pods(release.target) or {})["v1"] == 3
    after = crew.mesh.manifest("shop/reviews")
    assert before is not None
    assert after is not None
    assert after["spec"] == before["spec"]


def test_whoever_goes_back_while_a_retirement_is_under_way_keeps_the_baseline(house: House, crew: Crew) -> None:
    release = retiring(house, crew, Rules(decommission=Decommission.SCALE_TO_ZERO))
    crew.do(RetireBaseline(release.id))
    house.decide(RollbackRequested(release.id, "rb", CAROL))
    crew.do(RetireBaseline(release.id))
    assert (crew.mesh.ready_pods(release.target) or {})["v1"] == 3


def test_a_baseline_that_cannot_be_scaled_up_keeps_the_rollback_trying(house: House, crew: Crew) -> None:
    release = house.begin()
    crew.do(Prepare(release.id))
    crew.do(SetRoute(release.id, "shop/reviews"))
    house.decide(RollbackRequested(release.id, "rb", CAROL))
    crew.mesh.fail_next(Fault("deployments: forbidden"), "warm")
    with pytest.raises(Fault, match="forbidden"):
        crew.do(SetRoute(release.id, "shop/reviews", Urgency.ROLLBACK))
    crew.do.gave_up(SetRoute(release.id, "shop/reviews", Urgency.ROLLBACK), "failed:1", "deployments: forbidden")
    assert house.stored(release.id).phase is Phase.STUCK
    crew.do(SetRoute(release.id, "shop/reviews", Urgency.ROLLBACK))
    assert house.stored(release.id).phase is Phase.ROLLED_BACK


def test_retiring_for_a_release_that_went_on_meanwhile_does_nothing(house: House, crew: Crew) -> None:
    release = house.begin()
    crew.do(RetireBaseline(release.id))
    assert house.stored(release.id) == release


def test_a_card_is_posted_once_and_then_edited(house: House, crew: Crew) -> None:
    release = house.begin()
    crew.do(RefreshCard(release.id))
    house.decide(Prepared(release.id, "k", {"shop/reviews/http/main": "{}"}))
    crew.do(RefreshCard(release.id))
    assert len(crew.chat.kept) == 1
    assert next(iter(crew.chat.kept.values())).edits >= 1


def test_a_line_comes_into_the_thread_of_a_root_that_is_posted_first(house: House, crew: Crew) -> None:
    release = house.begin()
    crew.do(Say(release.id, "a", "All is well.", Audience.ON_CALL, is_broadcast=True))
    root, line = crew.chat.kept.values()
    assert line.thread_ts == root.ts
    assert line.line is not None
    assert (line.line.text, line.line.audience, line.is_broadcast) == ("All is well.", Audience.ON_CALL, True)


def test_on_call_is_called_by_a_message_of_its_own(house: House, crew: Crew) -> None:
    release = house.begin()
    crew.do(CallOnCall(release.id, "stuck:1", "reviews-1 is stuck."))
    assert crew.chat.texts()[-1] == "reviews-1 is stuck."


def test_a_stage_that_only_asks_has_no_picture(house: House, crew: Crew) -> None:
    release = house.begin(plan=a_plan("0", "100"))
    crew.do(house.jobs(release.id)[0].effect)
    crew.messages.post_stage(PostStage(release.id, 0))
    crew.messages.post_stage(PostStage(release.id, 1))
    assert [bool(kept.picture) for kept in crew.chat.kept.values()].count(True) == 1


def test_a_stage_has_one_message_and_one_picture_however_often_it_is_shown(house: House, crew: Crew) -> None:
    release = house.observed()
    for _ in range(3):
        crew.do(PostStage(release.id, 0))
    pictures = [kept for kept in crew.chat.kept.values() if kept.picture]
    assert (len(crew.chat.kept), len(pictures)) == (3, 1)


@pytest.mark.parametrize(
    "effect",
    [
        RefreshCard("gone-1"),
        PostStage("gone-1", 0),
        Say("gone-1", "a", "x"),
        CallOnCall("gone-1", "a", "x"),
    ],
)
def test_a_message_of_a_release_that_is_not_there_is_not_sent(
    crew: Crew, effect: RefreshCard | PostStage | Say | CallOnCall
) -> None:
    crew.do(effect)
    assert crew.chat.kept == {}


def test_a_card_knows_cluster_links_and_approvers(house: House, crew: Crew) -> None:
    release = house.begin()
    card = crew.messages.card(release.id)
    assert card is not None
    assert (card.cluster, card.links, card.root) == ("test", {"logs": "https://x"}, None)


def test_a_message_that_cannot_be_sent_stops_no_release(house: House, crew: Crew) -> None:
    release = house.observed()
    crew.do.gave_up(RefreshCard(release.id), "failed:1", "channel_not_found")
    assert house.stored(release.id) == release


def test_a_write_that_cannot_be_done_stops_its_release_loudly(house: House, crew: Crew) -> None:
    release = house.shifted()
    crew.do.gave_up(SetRoute(release.id, "shop/reviews"), "failed:1", "forbidden")
    assert house.stored(release.id).phase is Phase.STUCK
    assert house.journal(release.id)[-1].event == EffectFailed.__name__


def test_a_failure_that_cannot_be_stored_is_raised_so_that_it_is_told_later(
    house: House, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = house.shifted()

    def down() -> None:
        raise DatabaseDown("gone")

    monkeypatch.setattr(house.database, "transaction", down)
    with pytest.raises(Transient, match="gone"):
        crew.do.gave_up(SetRoute(release.id, "shop/reviews"), "failed:1", "forbidden")


def test_on_call_is_called_even_where_the_card_cannot_be_posted(house: House, crew: Crew) -> None:
    release = house.shifted()
    crew.chat.next_error = Fault("invalid_blocks")
    crew.do(CallOnCall(release.id, "stuck:3", "reviews-1 is stuck"))
    assert crew.chat.texts() == ["reviews-1 is stuck"]


def test_a_fault_of_the_mesh_is_not_swallowed_by_the_duty(house: House, crew: Crew) -> None:
    release = house.begin()
    crew.do(Prepare(release.id))
    crew.mesh.fail_next(Fault("forbidden"))
    with pytest.raises(Fault, match="forbidden"):
        crew.do(SetRoute(release.id, "shop/reviews"))


def test_who_asked_is_told_directly_and_once_when_the_channel_cannot_be_reached(house: House, crew: Crew) -> None:
    release = house.observed()
    for effect in (RefreshCard(release.id), RefreshCard(release.id), CallOnCall(release.id, "stuck:1", "It is stuck.")):
        crew.do.gave_up(effect, "failed:1", "Slack refused chat.postMessage: is_archived")
    (first, text), (second, call) = crew.chat.told
    assert (first, second) == (Audience.REQUESTER, Audience.REQUESTER_AND_ON_CALL)
    assert text.startswith(
        "reviews-1 cannot speak in its channel: Slack refused chat.postMessage: is_archived. Its gates"
    )
    assert call.startswith("It is stuck. reviews-1 cannot speak")


def test_nobody_who_can_be_told_stops_nothing(house: House, crew: Crew) -> None:
    release = house.observed()
    crew.chat.next_error = Transient("Slack is down")
    crew.do.gave_up(RefreshCard(release.id), "failed:1", "is_archived")
    assert crew.chat.told == []
