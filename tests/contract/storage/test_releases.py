"""Releases are found by what people and the machine ask for, and one save wins."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from storage.database import Database
from storage.errors import AlreadyReleasing, Conflict
from strategies.release import Phase, Release
from strategies.routing import Protocol, Route
from tests.builders import NOW, a_release, a_target, a_verdict


def add(database: Database, *releases: Release) -> None:
    with database.transaction() as transaction:
        for release in releases:
            transaction.releases.add(release)


def of_service(service: str, number: int = 1, **changes: object) -> Release:
    return a_release(f"{service}-{number}", targets=(a_target(service),), **changes)


def test_a_release_is_read_as_it_was_stored(database: Database, url: str) -> None:
    release = a_release(verdicts=(a_verdict(),), originals={"shop/reviews/http/main": "{}"}, wake_at=NOW)
    add(database, release)
    with Database(url) as other, other.reading() as transaction:
        stored = transaction.releases.get(release.id)
    assert stored is not None
    assert (stored.release, stored.row_version) == (release, 1)


def test_an_unknown_release_is_none(database: Database) -> None:
    with database.reading() as transaction:
        assert transaction.releases.get("nobody-1") is None


def test_numbers_count_up_per_service_and_host_names_are_shortened(database: Database) -> None:
    with database.transaction() as transaction:
        given = [transaction.releases.next_id(name) for name in ("reviews", "reviews.shop", "ratings")]
    assert given == ["reviews-1", "reviews-2", "ratings-1"]


def test_numbers_given_at_the_same_time_differ(database: Database) -> None:
    def take(_: int) -> str:
        with database.transaction() as transaction:
            return transaction.releases.next_id("reviews")

    with ThreadPoolExecutor(8) as threads:
        given = set(threads.map(take, range(24)))
    assert given == {f"reviews-{n}" for n in range(1, 25)}


def test_a_save_counts_the_row_version_up_and_changes_what_is_found(database: Database) -> None:
    add(database, a_release())
    with database.transaction() as transaction:
        version = transaction.releases.save(a_release(phase=Phase.OBSERVING, wake_at=NOW), 1)
    with database.reading() as transaction:
        assert version == 2
        assert transaction.releases.active_versions() == [("reviews-1", 2)]
        assert [stored.release.phase for stored in transaction.releases.active()] == [Phase.OBSERVING]


def test_a_save_on_an_old_row_version_is_a_conflict_and_changes_nothing(database: Database) -> None:
    add(database, a_release())
    with database.transaction() as transaction:
        transaction.releases.save(a_release(note="first"), 1)
    with pytest.raises(Conflict, match="reviews-1"), database.transaction() as transaction:
        transaction.releases.save(a_release(note="second"), 1)
    with database.reading() as transaction:
        stored = transaction.releases.get("reviews-1")
    assert stored is not None
    assert stored.release.note == "first"


def test_of_eight_saves_at_once_exactly_one_wins(database: Database) -> None:
    add(database, a_release())

    def save(n: int) -> bool:
        try:
            with database.transaction() as transaction:
                transaction.releases.save(a_release(note=f"save {n}"), 1)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(save, range(8)))
    assert won.count(True) == 1


def test_a_transaction_that_is_taken_back_leaves_no_trace(database: Database) -> None:
    add(database, a_release(note="before"))
    with pytest.raises(RuntimeError), database.transaction() as transaction:
        transaction.releases.save(a_release(note="never"), 1)
        raise RuntimeError
    with database.reading() as transaction:
        stored = transaction.releases.get("reviews-1")
    assert stored is not None
    assert (stored.release.note, stored.row_version) == ("before", 1)


def test_ended_releases_are_not_active(database: Database) -> None:
    add(database, *(of_service(f"s{n}", phase=phase) for n, phase in enumerate(Phase)))
    with database.reading() as transaction:
        found = {stored.release.phase for stored in transaction.releases.active()}
    assert found == set(Phase) - {Phase.COMPLETED, Phase.ROLLED_BACK}


def test_a_route_that_is_taken_refuses_a_second_release_and_stores_nothing_of_it(database: Database) -> None:
    add(database, a_release())
    with database.transaction() as transaction:
        with pytest.raises(AlreadyReleasing) as refusal:
            transaction.releases.add(a_release("reviews-2"))
        assert transaction.releases.get("reviews-2") is None
    assert (refusal.value.route, refusal.value.holder) == ("shop/reviews/http/main", "reviews-1")
    with database.reading() as transaction:
        assert transaction.releases.by_route("shop/reviews/http/main") == "reviews-1"


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.ROLLED_BACK])
def test_an_ended_release_gives_its_route_free(database: Database, phase: Phase) -> None:
    add(database, a_release())
    with database.transaction() as transaction:
        transaction.releases.save(a_release(phase=phase), 1)
        assert transaction.releases.by_route("shop/reviews/http/main") is None
    add(database, a_release("reviews-2"))
    with database.reading() as transaction:
        assert transaction.releases.by_route("shop/reviews/http/main") == "reviews-2"


def test_one_shared_route_of_several_is_enough_to_refuse(database: Database) -> None:
    both = tuple(Route("shop", "reviews", Protocol.HTTP, name) for name in ("main", "beta"))
    add(database, a_release(targets=(a_target(routes=both),)))
    with pytest.raises(AlreadyReleasing, match="beta"):
        add(database, a_release("reviews-2", targets=(a_target(routes=both[1:]),)))


def test_of_eight_starts_at_once_one_gets_the_route(database: Database) -> None:
    def start(n: int) -> str:
        try:
            add(database, a_release(f"reviews-{n}"))
        except AlreadyReleasing as refusal:
            return refusal.holder
        return "started"

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(start, range(1, 9)))
    with database.reading() as transaction:
        (active,) = transaction.releases.active()
    assert results.count("started") == 1
    assert set(results) == {"started", active.release.id}


@pytest.mark.parametrize("subject", ["reviews-1", "reviews", "reviews.shop", "reviews.shop.svc.cluster.local"])
def test_a_release_is_found_by_every_name_of_its_service(database: Database, subject: str) -> None:
    add(database, a_release(), of_service("ratings"))
    with database.reading() as transaction:
        assert [stored.release.id for stored in transaction.releases.find(subject)] == ["reviews-1"]


@pytest.mark.parametrize("subject", ["", "review", "reviews.other", "nul\0", "a%", "\ud800", "reviews-99"])
def test_what_nobody_is_called_finds_nothing(database: Database, subject: str) -> None:
    add(database, a_release())
    with database.reading() as transaction:
        assert transaction.releases.find(subject) == []


def test_the_second_service_of_a_release_finds_it_too(database: Database) -> None:
    add(database, a_release(targets=(a_target(), a_target("ratings"))))
    with database.reading() as transaction:
        assert [stored.release.id for stored in transaction.releases.find("ratings")] == ["reviews-1"]


def test_the_active_release_is_found_before_newer_ended_ones(database: Database) -> None:
    for n, phase in enumerate((Phase.COMPLETED, Phase.OBSERVING, Phase.ROLLED_BACK), start=1):
        add(database, a_release(f"reviews-{n}", phase=phase, created_at=NOW + timedelta(hours=n)))
    with database.reading() as transaction:
        found = [stored.release.id for stored in transaction.releases.find("reviews")]
    assert found == ["reviews-2", "reviews-3", "reviews-1"]


def test_recent_releases_are_the_newest_of_what_is_asked_for(database: Database) -> None:
    add(database, *(of_service(f"s{n}", created_at=NOW + timedelta(hours=n)) for n in range(5)))
    add(database, replace(of_service("done"), phase=Phase.COMPLETED, created_at=NOW + timedelta(days=1)))
    with database.reading() as transaction:
        releases = transaction.releases
        assert [stored.release.id for stored in releases.recent(2)] == ["done-1", "s4-1"]
        assert [stored.release.id for stored in releases.recent(2, is_active=True)] == ["s4-1", "s3-1"]
        assert [stored.release.id for stored in releases.recent(9, services=["s1.shop"])] == ["s1-1"]
        assert releases.recent(9, namespace="elsewhere") == []
        assert [stored.release.id for stored in releases.recent(9, phase=Phase.COMPLETED)] == ["done-1"]
        assert len(releases.recent(9, requester=a_release().requester.id)) == 6
        assert releases.recent(9, requester="U9") == []
        assert list(releases.recent_ids(2)) == ["done-1", "s4-1"]


def test_what_another_replica_saved_is_what_is_read(database: Database, url: str) -> None:
    add(database, a_release())
    with Database(url) as other, other.transaction() as transaction:
        transaction.releases.save(a_release(note="elsewhere"), 1)
    with database.reading() as transaction:
        (stored,) = transaction.releases.active()
    assert (stored.release.note, stored.row_version) == ("elsewhere", 2)


def test_text_that_databases_refuse_is_stored_without_its_bad_characters(database: Database) -> None:
    person = replace(a_release().requester, name="nul \0 half \ud83d")
    add(database, a_release(requester=person, note="nul \0"))
    with database.reading() as transaction:
        stored = transaction.releases.get("reviews-1")
    assert stored is not None
    assert stored.release.note == "nul \0"
