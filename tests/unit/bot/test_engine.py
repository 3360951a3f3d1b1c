"""Every event is journalled, decided and stored in one transaction, and only then is anybody told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.engine import Engine, Looked
from bot.errors import Transient
from bot.ports import Posted
from storage.database import Database
from storage.errors import Conflict, DatabaseDown
from storage.journal import Journal
from storage.messages import StoredMessage
from storage.releases import Releases
from strategies.decision import Decision
from strategies.effects import Lane, SetRoute, Urgency
from strategies.events import ApprovalGiven, PauseRequested, RollbackRequested, RouteConfirmed
from strategies.reasons import ReasonCode, Refused
from strategies.release import OnHarm, Phase, Release, Rules
from tests.builders import a_reading
from tests.fakes import FakeClock
from tests.unit.bot.house import House, open_database, request
from tests.unit.core.events_of import ALICE, BOB, CAROL, FAILS, MALLORY, PASSES, WAITS, a_look


def looked(house: House, release: Release, verdicts: tuple[object, ...], ready: int | None = 2) -> Looked:
    """A look at a release, one second after the last thing that happened."""
    at = house.clock.tick(seconds=1)
    return Looked(a_look(release, verdicts, at, ready), a_reading(at))  # type: ignore[arg-type]


def test_a_decision_is_stored_with_its_journal_entry_and_its_effects(house: House) -> None:
    release = house.begin()
    assert house.stored("reviews-1") == release
    assert [entry.event for entry in house.journal("reviews-1")] == ["ReleaseRequested"]
    assert [type(job.effect).__name__ for job in house.jobs("reviews-1")] == ["Prepare", "ReadHistory", "RefreshCard"]


def test_a_journal_entry_says_who_did_what_and_what_followed(house: House) -> None:
    release = house.observed()
    house.decide(PauseRequested(release.id, "p", ALICE, "lunch"))
    entry = house.journal(release.id)[-1]
    assert (entry.key, entry.actor_id, entry.event) == ("p", "U1", "PauseRequested")
    assert (entry.phase_before, entry.phase_after) == (Phase.OBSERVING, Phase.PAUSED)
    assert entry.text == "paused by Person U1: lunch"
    assert entry.evidence["errors"] == {"outcome": "pass", "reason": "errors say pass"}


def test_a_repeated_key_is_answered_and_nothing_is_done_twice(house: House) -> None:
    release = house.observed()
    pause = PauseRequested(release.id, "same", ALICE)
    once = house.decide(pause)
    jobs = house.jobs(release.id)
    again = house.engine.submit(pause)
    assert isinstance(again, Decision)
    assert "nothing was done twice" in again.reply
    assert house.stored(release.id) == once
    assert house.jobs(release.id) == jobs


def test_a_repeated_request_for_a_release_begins_no_second_one(house: House) -> None:
    house.begin()
    again = house.engine.submit(request())
    assert isinstance(again, Refused)
    assert again.reason_code is ReasonCode.ALREADY_DECIDED
    assert house.engine.release("reviews-2") is None


def test_a_route_that_is_being_released_is_refused_with_the_way_to_its_release(house: House) -> None:
    house.begin()
    refused = house.engine.submit(replace(request(), key="other"))
    assert refused == Refused(
        ReasonCode.ALREADY_RELEASING, "reviews is being released already by reviews-1: /release status reviews-1"
    )


def test_the_refusal_links_to_the_message_of_the_release_that_has_the_route(house: House) -> None:
    house.begin()
    posted = Posted("C1", "1.0", "https://chat.example/p1")
    with house.database.transaction() as tx:
        tx.messages.put("reviews-1", "root", StoredMessage(posted.channel, posted.ts, posted.permalink, 1))
    refused = house.engine.submit(replace(request(), key="other"))
    assert isinstance(refused, Refused)
    assert refused.text.endswith("reviews-1: https://chat.example/p1")


def test_two_services_are_released_side_by_side(house: House) -> None:
    assert house.begin("reviews").id == "reviews-1"
    assert house.begin("ratings").id == "ratings-1"
    assert {release.id for release in house.engine.active()} == {"reviews-1", "ratings-1"}


def test_a_route_is_free_again_when_its_release_is_over(house: House) -> None:
    release = house.written()
    back = house.decide(RollbackRequested(release.id, "rb", CAROL))
    house.decide(replace(confirmation(back), key="back"))
    again = house.engine.submit(replace(request(), key="other"))
    assert isinstance(again, Decision)
    assert again.release.id == "reviews-2"


def test_a_refusal_is_journalled_and_changes_nothing(house: House) -> None:
    release = house.observed()
    refused = house.engine.submit(PauseRequested(release.id, "mallory", MALLORY))
    assert isinstance(refused, Refused)
    entry = house.journal(release.id)[-1]
    assert (entry.key, entry.reason_code, entry.actor_id) == ("mallory", ReasonCode.NOT_ALLOWED, "U9")
    assert house.stored(release.id) == release


def test_an_event_for_a_release_that_is_not_there_is_refused(house: House) -> None:
    refused = house.engine.submit(PauseRequested("reviews-9", "k", ALICE))
    assert isinstance(refused, Refused)
    assert refused.reason_code is ReasonCode.UNKNOWN_RELEASE


def test_listeners_hear_what_was_saved_after_it_was_saved(house: House) -> None:
    heard: list[tuple[Release, Release]] = []

    def listen(releases: Sequence[Release]) -> None:
        heard.extend((release, house.stored(release.id)) for release in releases)

    house.engine.on_commit(listen)
    house.begin()
    assert [told == stored for told, stored in heard] == [True]


def test_only_lanes_that_got_something_are_told(house: House) -> None:
    heard: list[set[Lane]] = []
    release = house.observed()
    house.engine.on_queued(lambda lanes: heard.append(set(lanes)))
    house.engine.submit_looks([looked(house, release, PASSES)])
    assert heard == []
    house.engine.submit_looks([looked(house, release, WAITS)])
    house.decide(RollbackRequested(release.id, "back", ALICE, ""))
    assert heard == [{Lane.CHAT}, {Lane.ROUTE, Lane.CHAT}]


def test_the_looks_of_one_tick_are_stored_with_evidence_for_each(house: House) -> None:
    one, other = house.observed("reviews"), house.observed("ratings")
    house.engine.submit_looks([looked(house, one, WAITS), looked(house, other, FAILS)])
    assert house.stored("reviews-1").verdicts == WAITS
    assert house.stored("ratings-1").phase is Phase.ROLLING_BACK
    with house.database.reading() as tx:
        assert len(tx.evidence.looks("reviews-1", 10)) == len(tx.evidence.looks("ratings-1", 10)) == 1


def test_a_look_is_journalled_only_where_it_changed_something(house: House) -> None:
    release = house.observed()
    before = len(house.journal(release.id))
    house.engine.submit_looks([looked(house, release, PASSES)])
    house.engine.submit_looks([looked(house, release, WAITS)])
    assert [entry.text for entry in house.journal(release.id)[before:]] == ["split pass; errors wait"]


def test_the_looks_of_one_tick_are_one_transaction(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    releases = [house.observed(name) for name in ("a", "b", "c")]
    count = transactions(house.database, monkeypatch)
    house.engine.submit_looks([looked(house, release, PASSES) for release in releases])
    assert len(count) == 1


def test_a_look_at_a_release_that_is_gone_hinders_no_other(house: House) -> None:
    release = house.observed()
    gone = replace(release, id="ghost-1")
    house.engine.submit_looks([looked(house, gone, FAILS), looked(house, release, WAITS)])
    assert house.stored(release.id).verdicts == WAITS


def test_harm_in_a_look_queues_the_rollback_in_the_same_transaction(house: House) -> None:
    release = house.observed()
    house.engine.submit_looks([looked(house, release, FAILS)])
    first = house.jobs(release.id)[0]
    assert SetRoute(release.id, "shop/reviews", Urgency.ROLLBACK) in [job.effect for job in house.jobs(release.id)]
    assert first.release == release.id


def test_who_was_overtaken_decides_anew_on_what_is_stored_now(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    release = house.observed(rules=Rules(on_harm=OnHarm.PAUSE))
    conflicts(monkeypatch, times=2)
    assert house.decide(PauseRequested(release.id, "p", ALICE)).phase is Phase.PAUSED
    assert len([entry for entry in house.journal(release.id) if entry.key == "p"]) == 1


def test_a_payload_that_another_replica_refused_meanwhile_is_not_decided_without_its_entry(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = house.observed()
    house.engine.submit(PauseRequested(release.id, "p", MALLORY))
    answers, has = [False], Journal.has
    # At the first look the other replica's refusal is not committed yet.
    monkeypatch.setattr(Journal, "has", lambda self, key: answers.pop() if answers else has(self, key))
    outcome = house.engine.submit(PauseRequested(release.id, "p", ALICE))
    assert isinstance(outcome, Decision) and "nothing was done twice" in outcome.reply
    assert (house.stored(release.id), answers) == (release, [])


def test_who_is_overtaken_again_and_again_is_told_to_try_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    release = house.observed()
    conflicts(monkeypatch, times=3)
    with pytest.raises(Transient, match="is being changed by others"):
        house.engine.submit(PauseRequested(release.id, "p", ALICE))
    assert house.stored(release.id) == release


def test_a_look_that_was_overtaken_is_dropped_and_the_others_are_kept(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = house.observed("reviews"), house.observed("ratings")
    conflicts(monkeypatch, times=1)
    house.engine.submit_looks([looked(house, one, WAITS), looked(house, other, WAITS)])
    assert house.stored("reviews-1").verdicts == PASSES
    assert house.stored("ratings-1").verdicts == WAITS


def test_a_later_release_that_moved_nothing_is_called_off_by_the_rollback_of_the_one_before(house: House) -> None:
    old = replace(house.observed(), phase=Phase.COMPLETED, wake_at=None)
    house.save(old)
    later = house.decide(replace(request(), key="again", starts_at=house.clock.now() + timedelta(hours=1)))
    assert house.decide(RollbackRequested(old.id, "back", ALICE)).phase is Phase.ROLLING_BACK
    called_off = house.stored(later.id)
    assert called_off.phase is Phase.ROLLED_BACK
    assert f"{old.id} is rolled back" in called_off.note
    assert house.journal(later.id)[-1].actor_name == ALICE.name


def test_a_later_release_that_prepares_is_called_off_too_and_its_additions_go(house: House) -> None:
    old = replace(house.observed(), phase=Phase.COMPLETED, wake_at=None)
    house.save(old)
    later, heard = house.decide(replace(request(), key="again")), list[str]()
    house.engine.on_commit(lambda releases: heard.extend(each.id for each in releases))
    assert house.decide(RollbackRequested(old.id, "back", ALICE)).phase is Phase.ROLLING_BACK
    assert house.stored(later.id).phase is Phase.ROLLED_BACK
    assert SetRoute(later.id, "shop/reviews", Urgency.ROLLBACK) in [job.effect for job in house.jobs(later.id)]
    assert sorted(heard) == [old.id, later.id]


def test_the_next_release_ends_one_that_only_waits_to_let_its_baseline_go(house: House) -> None:
    old = replace(house.observed(), phase=Phase.DECOMMISSIONING, wake_at=None)
    house.save(old)
    outcome = house.engine.submit(replace(request(), key="again"))
    assert isinstance(outcome, Decision)
    assert outcome.reply.endswith(f"{old.id} ends: v1 was kept.")
    assert house.stored(old.id).phase is Phase.COMPLETED
    assert house.journal(old.id)[-1].actor_name == ALICE.name


def test_a_start_without_the_role_ends_nobody_elses_retirement(house: House) -> None:
    old = replace(house.observed(), phase=Phase.DECOMMISSIONING, wake_at=None)
    house.save(old)
    refused = house.engine.submit(replace(request(), key="again", actor=MALLORY))
    assert isinstance(refused, Refused)
    assert (refused.reason_code, house.stored(old.id).phase) == (ReasonCode.NOT_ALLOWED, Phase.DECOMMISSIONING)


def test_a_start_waits_while_the_baseline_is_being_taken_away(house: House) -> None:
    old = replace(house.observed(), phase=Phase.DECOMMISSIONING, is_retiring=True, wake_at=None)
    house.save(old)
    refused = house.engine.submit(replace(request(), key="again"))
    assert isinstance(refused, Refused)
    assert "ask again in a minute" in refused.text


def test_a_later_release_that_moved_the_route_is_rolled_back_first(house: House) -> None:
    old = replace(house.observed(), phase=Phase.COMPLETED, wake_at=None)
    house.save(old)
    later = house.decide(replace(request(), key="again"))
    house.save(replace(later, stage=0, phase=Phase.OBSERVING, wake_at=None))
    refused = house.engine.submit(RollbackRequested(old.id, "back", ALICE))
    assert isinstance(refused, Refused)
    assert f"{later.id} moved the same route after {old.id}" in refused.text
    assert house.stored(later.id).phase is Phase.OBSERVING


def test_of_two_approvals_one_counts_and_the_other_learns_of_it(house: House) -> None:
    release = house.observed(rules=Rules(approvers=frozenset({"U2", "U4"})))
    yes = ApprovalGiven(release.id, "one", BOB, release.revision, acknowledged=True)
    assert house.decide(yes).stage == 1
    late = house.engine.submit(replace(yes, key="two", actor=replace(BOB, id="U4")))
    assert isinstance(late, Refused)
    assert late.reason_code in {ReasonCode.ALREADY_DECIDED, ReasonCode.WRONG_PHASE}
    assert house.stored(release.id).stage == 1


@pytest.mark.parametrize("what", ["event", "looks"])
def test_a_database_that_does_not_answer_is_trouble_that_passes(
    house: House, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    release = house.observed()
    look = looked(house, release, PASSES)
    monkeypatch.setattr(house.database, "transaction", down)
    with pytest.raises(Transient, match="The database does not answer: gone"):
        if what == "event":
            house.engine.submit(PauseRequested(release.id, "p", ALICE))
        else:
            house.engine.submit_looks([look])


def test_two_engines_on_one_database_see_the_same_releases(house: House, tmp_path: Path) -> None:
    release = house.observed()
    with open_database(tmp_path) as database:
        other = Engine(database, FakeClock(house.clock.now()))
        assert other.release(release.id) == release
        other.submit(PauseRequested(release.id, "p", ALICE))
    assert house.stored(release.id).phase is Phase.PAUSED


def confirmation(release: Release) -> RouteConfirmed:
    """The mesh carries what the release wants."""
    return RouteConfirmed(release.id, "c", "shop/reviews", release.revision)


def down() -> object:
    """A database that went away."""
    raise DatabaseDown("gone")


def conflicts(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """The next saves find that somebody else was first."""
    left, save = [times], Releases.save

    def overtaken(self: Releases, release: Release, row_version: int) -> int:
        if left[0]:
            left[0] -= 1
            raise Conflict(release.id)
        return save(self, release, row_version)

    monkeypatch.setattr(Releases, "save", overtaken)


def transactions(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each writing transaction."""
    count: list[int] = []
    transaction = database.transaction

    def counted() -> object:
        count.append(1)
        return transaction()

    monkeypatch.setattr(database, "transaction", counted)
    return count


def test_a_start_that_is_refused_spends_no_number(house: House) -> None:
    asked = replace(request(), actor=MALLORY)
    assert isinstance(house.engine.submit(asked), Refused)
    begun = house.engine.submit(replace(asked, key="k2", actor=ALICE))
    assert isinstance(begun, Decision)
    assert begun.release.id == "reviews-1"
